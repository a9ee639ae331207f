#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A kernel without VMCOREINFO is found as one with it: at the start, by an agent that comes later, and after a reset,
# however much data its RAM has. How long it took is told; it fails where memory had to be searched for it.
#
#   MEMCTX_NOTELESS         which: x86_64, i386, arm64 (default: x86_64; i386.sh and arm64.sh blank a note in RAM)
#   MEMCTX_NOTELESS_ALL     if set: also i386 with PAE, and one with a note to compare with
#   MEMCTX_NOTELESS_MEMORY  MiB of RAM (default 512)
#   MEMCTX_NOTELESS_FILL    MiB of it that a file in the guest's tmpfs fills first (default 200)
#
# LONG
# shellcheck disable=SC2317 # functions called by bed_until and by their names
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

memory=${MEMCTX_NOTELESS_MEMORY:-512}
fill=${MEMCTX_NOTELESS_FILL:-200}

# The initcall that makes the note. Its name is one of a kernel with KALLSYMS, as Debian's are.
without="initcall_blacklist=crash_save_vmcoreinfo_init"

# What a kernel with a note takes on a busy machine, and the 2 s that one without may take more.
limit_ms=8000

# ready_after NAME SINCE_US: ms from then until the domain is ready, of its generation $3 if that is given
ready_after()
{
    bed_until 60 has_generation "$1" "${3-}" || return 1
    echo $(((${EPOCHREALTIME/./} - $2) / 1000))
}
has_generation() { bed_has_state "$1" ready && { [ -z "$2" ] || bed_datum "$1" | grep -q "generation=\"$2\""; }; }

# root NAME: where the kernel says that it is. One for i386 does not: then where it is in its image ($root_in_image), which
# a kernel with a note has told.
root()
{
    if [ -n "$root_in_image" ]; then printf '%#x' $(($(bed_said "$1" | bed_field code) + root_in_image)); else bed_root "$1"; fi
}
root_in_image='' wanted_paging=''

# judge WHAT NAME FOUND MS
judge()
{
    local datum
    datum=$(bed_datum "$2") || true
    diag "$1: ${4:-never} ms after the guest was up"
    if [ -n "$4" ] && [ "$4" -lt $limit_ms ]; then ok "$1"; else not_ok "$1" "took ${4:-too long} ms: $(bed_state_line "$2")"; fi
    is "$1-kcr3" "$(bed_datum_element kcr3 <<< "$datum")" "$(root "$2")"
    is "$1-paging" "$(bed_datum_element paging <<< "$datum")" "${wanted_paging:-$(bed_said_paging "$(bed_said "$2")")}"
    is "$1-version" "$(bed_datum_attribute guest version <<< "$datum")" "$(bed_said "$2" | bed_field release)"
    like "$1-found" "$(bed_datum_attribute evidence found <<< "$datum")" "$3"
    is "$1-schema" "$(bed_datum_invalid "$datum")" ""
}

# kernel NAME FOUND [KEY=VALUE...]
kernel()
{
    local name=$1 found=$2 since
    shift 2
    bed_create "$name" memory="$memory" "$@"
    bed_wait_up "$name" 120 || not_ok "$name-up" "the guest does not come up"
    since=${EPOCHREALTIME/./}
    judge "$name-start" "$name" "$found" "$(ready_after "$name" "$since")"
    [ "$fill" = 0 ] || bed_ask "$name" fill 120 "fill $fill" || not_ok "$name-fill" "the guest does not fill its RAM"
    bed_agent_stop TERM || true
    since=${EPOCHREALTIME/./}
    bed_agent_start
    judge "$name-later" "$name" "$found" "$(ready_after "$name" "$since")"
    bed_virsh reset "$name" > /dev/null
    bed_wait_up "$name" 120 2 || not_ok "$name-up-again" "the guest does not come up"
    since=${EPOCHREALTIME/./}
    judge "$name-reset" "$name" "$found" "$(ready_after "$name" "$since" 2)"
    bed_destroy "$name"
}

# foreign FLAVOUR KERNEL [KEY=VALUE...]: the same of another architecture, where there is less to compare
foreign()
{
    local flavour=$1 kernel=$2 datum root_in_image wanted_paging
    bed_create "$flavour-noted" "${@:3}" memory=256 kernel="$kernel" initrd="$initramfs"
    bed_wait_up "$flavour-noted" 120 || not_ok "$flavour-up" "the guest does not come up"
    bed_wait_state "$flavour-noted" ready 60 || not_ok "$flavour-noted" "$(bed_state_line "$flavour-noted")"
    datum=$(bed_datum "$flavour-noted")
    like "$flavour-noted-found" "$(bed_datum_attribute evidence found <<< "$datum")" vmcoreinfo
    root_in_image=$(($(bed_datum_element kcr3 <<< "$datum") - $(bed_said "$flavour-noted" | bed_field code)))
    wanted_paging=$(bed_datum_element paging <<< "$datum")
    bed_destroy "$flavour-noted"
    fill=0 memory=256 kernel "$flavour" without-note "${@:3}" kernel="$kernel" initrd="$initramfs" append="$without"
}

i386()
{
    local initramfs kernel flavour
    initramfs=$(bed_initramfs_foreign i386) || { skip i386 "no busybox for i386 can be had here"; return; }
    for flavour in 686 ${MEMCTX_NOTELESS_ALL:+rt-686-pae}; do
        if kernel=$(bed_kernel "$(bed_release)/$flavour"); then
            foreign "$flavour" "$kernel"
        else
            skip "$flavour" "no such kernel can be had here"
        fi
    done
}

arm64()
{
    local initramfs kernel
    if ! command -v qemu-system-aarch64 > /dev/null || ! kernel=$(bed_kernel_arm64 cloud-arm64) ||
        ! initramfs=$(bed_initramfs_foreign arm64); then
        skip arm64 "no QEMU or no kernel for it can be had here"
        return
    fi
    foreign arm64 "$kernel" arch=aarch64 machine=virt
}

bed_start
bed_agent_start
for what in ${MEMCTX_NOTELESS:-x86_64}; do
    case $what in
        x86_64)
            [ -z "${MEMCTX_NOTELESS_ALL-}" ] || kernel noted vmcoreinfo
            kernel noteless without-note append="$without"
            ;;
        *) "$what" ;;
    esac
done
finish
