#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# 32-bit kernels, with and without PAE: found at the start, by an agent that comes later, also when they have no VMCOREINFO
# any more, and after a reboot.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# vmcoreinfo_root FILE NAME: swapper_pg_dir is not in a stripped kallsyms of the guest, but in its VMCOREINFO
vmcoreinfo_root()
{
    local info=$1 swapper text code
    swapper=$(grep -ao 'SYMBOL(swapper_pg_dir)=[0-9a-f]*' "$info" | head -n 1 | cut -d = -f 2)
    text=$(bed_said "$2" | bed_field _text)
    code=$(bed_said "$2" | bed_field code)
    printf '%#x' $((0x$swapper - text + code))
}

# expect WHAT NAME PAGING UPS
expect()
{
    local what=$1 name=$2 paging=$3 ups=$4 datum info="$BED_DIR/log/info" gpa
    bed_wait_up "$name" 60 "$ups" || not_ok "$what-up" "the guest does not come up"
    if ! bed_wait_state "$name" ready 60; then
        not_ok "$what" "$(bed_state_line "$name")"
        return
    fi
    datum=$(bed_datum "$name")
    gpa=$(bed_said "$name" | bed_field vmcoreinfo | cut -d ' ' -f 1)
    bed_page "$name" $((gpa)) $((0x20000000)) > "$info"
    is "$what-kcr3" "$(bed_datum_element kcr3 <<< "$datum")" "$(vmcoreinfo_root "$info" "$name")"
    is "$what-paging" "$(bed_datum_element paging <<< "$datum")" "$paging"
    is "$what-release" "$(bed_datum_attribute guest version <<< "$datum")" "$(bed_said "$name" | bed_field release)"
    is "$what-schema" "$(bed_datum_invalid "$datum")" ""
}

kernel()
{
    local flavour=$1 paging=$2 kernel
    if ! kernel=$(bed_kernel "$(bed_release)/$flavour"); then
        skip "$flavour" "no such kernel can be had here"
        return
    fi
    bed_create "$flavour" kernel="$kernel" initrd="$initramfs" memory=512
    expect "$flavour-start" "$flavour" "$paging" 1
    bed_agent_stop TERM || true
    bed_agent_start
    expect "$flavour-later" "$flavour" "$paging" 1
    bed_found_noteless "$flavour"
    bed_tell "$flavour" reboot
    expect "$flavour-reboot" "$flavour" "$paging" 2
    bed_destroy "$flavour"
}

bed_start
if ! initramfs=$(bed_initramfs_foreign i386); then
    skip i386 "no busybox for i386 can be had here"
    finish
fi
bed_agent_start
kernel 686 x86-2level
kernel rt-686-pae x86-pae
finish
