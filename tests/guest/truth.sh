#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The bed itself: what a guest says of its kernel must be what its RAM says, without any program of ours.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# The page tables at kcr3, in RAM cut at low, must lead _text to "Kernel code".
truth_is_in_ram()
{
    local name=$1 truth gpa key
    local -A t
    truth=$(bed_truth "$name")
    for key in kcr3 low paging text code; do t[$key]=$(bed_field $key <<< "$truth"); done
    gpa=$("$BED_SRC/walk.py" "$(bed_ram_fd "$name")" "${t[kcr3]}" "${t[low]}" "${t[paging]}" "${t[text]}") || gpa=none
    is "truth-in-ram-$name" "$gpa" "${t[code]}"
    is "paging-$name" "${t[paging]}" "$2"
}

try()
{
    local name=$1 paging=$2
    shift 2
    bed_create "$name" "$@"
    if bed_wait_up "$name" 60; then
        truth_is_in_ram "$name" "$paging"
    else
        not_ok "boot-$name" "the guest does not come up"
    fi
    bed_destroy "$name"
}

bed_start
try q35-max x86_64-5level
try pc-4g-file x86_64-4level machine=pc memory=4096 cpu=qemu64 backing=file vcpus=2
try no5lvl x86_64-4level memory=3072 append=no5lvl
finish
