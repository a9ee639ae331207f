#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# aarch64 kernels of two granules: found at the start, by an agent that comes later, also when they have no VMCOREINFO any
# more, after a reboot, and in their RAM as a file.
# LONG
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

ram_gpa=$((0x40000000))
memory=512

# vmcoreinfo_root FILE NAME: swapper_pg_dir is not in a stripped kallsyms of the guest, but in its VMCOREINFO. "Kernel
# code" begins at _stext, before 5.12 at _text, which QEMU puts at a multiple of 2 MiB, 64 KiB below.
vmcoreinfo_root()
{
    local info=$1 swapper stext code
    swapper=$(grep -ao 'SYMBOL(swapper_pg_dir)=[0-9a-f]*' "$info" | head -n 1 | cut -d = -f 2)
    stext=$(bed_said "$2" | bed_field _stext)
    code=$(bed_said "$2" | bed_field code)
    [ $((code % 0x200000)) != 0 ] || code=$((code + 0x10000))
    printf '%#x' $((0x$swapper - stext + code))
}

# probe_ram WHAT NAME ROOT PAGING: nobody says where the RAM of a file begins
probe_ram()
{
    local probed
    if ! probed=$("$BED_DIR/bin/memctx" probe --ram "$(bed_ram_fd "$2")"); then
        not_ok "$1-probe" "memctx probe finds nothing"
        return
    fi
    is "$1-probe" "$(bed_datum_element kcr3 <<< "$probed") $(bed_datum_element paging <<< "$probed")" "$3 $4"
}

# expect WHAT NAME PAGING UPS
expect()
{
    local what=$1 name=$2 paging=$3 ups=$4 datum info="$BED_DIR/log/info" gpa root
    bed_wait_up "$name" 90 "$ups" || not_ok "$what-up" "the guest does not come up"
    if ! bed_wait_state "$name" ready 60; then
        not_ok "$what" "$(bed_state_line "$name")"
        return
    fi
    datum=$(bed_datum "$name")
    gpa=$(bed_said "$name" | bed_field vmcoreinfo | cut -d ' ' -f 1)
    bed_page "$name" $((gpa - ram_gpa)) $((memory << 20)) > "$info"
    root=$(vmcoreinfo_root "$info" "$name")
    is "$what-kcr3" "$(bed_datum_element kcr3 <<< "$datum")" "$root"
    is "$what-paging" "$(bed_datum_element paging <<< "$datum")" "$paging"
    is "$what-low" "$(bed_datum_element low <<< "$datum")" "$(printf '%#x' $((memory << 20)))"
    is "$what-ram" "$(bed_datum_attribute extent gpa <<< "$datum")" "$(printf '%#x' $ram_gpa)"
    is "$what-release" "$(bed_datum_attribute guest version <<< "$datum")" "$(bed_said "$name" | bed_field release)"
    is "$what-schema" "$(bed_datum_invalid "$datum")" ""
    is "$what-private" "$(bed_datum_invalid "$(bed_ctl show "$name")")" ""
    probe_ram "$what" "$name" "$root" "$paging"
}

# kernel FLAVOUR PAGING [again]
kernel()
{
    local flavour=$1 paging=$2 kernel
    if ! kernel=$(bed_kernel_arm64 "$flavour"); then
        skip "$flavour" "no such kernel can be had here"
        return
    fi
    bed_create "$flavour" arch=aarch64 machine=virt kernel="$kernel" initrd="$initramfs" memory=$memory
    expect "$flavour-start" "$flavour" "$paging" 1
    if [ "${3-}" = again ]; then
        bed_agent_stop TERM || true
        bed_agent_start
        expect "$flavour-later" "$flavour" "$paging" 1
        bed_found_noteless "$flavour"
        bed_tell "$flavour" reboot
        expect "$flavour-reboot" "$flavour" "$paging" 2
        is "$flavour-generation" "$(bed_datum_attribute memctx generation <<< "$(bed_datum "$flavour")")" 2
    fi
    bed_destroy "$flavour"
}

bed_start
if ! initramfs=$(bed_initramfs_foreign arm64); then
    skip arm64 "no busybox for arm64 can be had here"
    finish
fi
bed_agent_start
kernel cloud-arm64 aarch64-4k-48 again
kernel arm64-16k aarch64-16k-52
finish
