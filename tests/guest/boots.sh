#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Many kinds of guests boot; each gets the datum that its kernel itself confirms, and never a wrong one before.
#
#   MEMCTX_BOOTS    number of boots (default 6); the list below is gone through again and again
#   MEMCTX_KERNELS  Debian kernel packages to take in turn (default: the cloud kernel of this release)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# The first six reach every machine, CPU, backing and side of the split; sizes at its very edge come after.
kinds=(
    "machine=q35 memory=512"
    "machine=pc memory=512 cpu=qemu64 vcpus=2"
    "machine=q35 memory=3072 cpu=qemu64 vcpus=2 backing=file"
    "machine=pc memory=4096"
    "machine=q35 memory=6144 vcpus=2"
    "machine=pc memory=6144 backing=file append=no5lvl"
    "machine=q35 memory=2816"
    "machine=q35 memory=2815 cpu=qemu64"
    "machine=pc memory=3584 vcpus=2"
    "machine=pc memory=3583"
    "machine=q35 memory=1024 append=nokaslr"
    "machine=q35 memory=2048 backing=file append=nopti"
    "machine=pc memory=1024 cpu=qemu64 append=pti=on"
    "machine=q35 memory=5000 cells=1 vcpus=2"
)
read -ra packages <<< "${MEMCTX_KERNELS-}"

# prints a fault unless VMCOREINFO, the note or the text that the kernel makes it of, is where "show" says.
vmcoreinfo_fault()
{
    local gpa
    gpa=$(bed_datum_attribute vmcoreinfo gpa <<< "$2")
    bed_page "$1" "$gpa" "$(bed_field low <<< "$3")" | head -c 40 | tr -d '\0' | grep -qa 'OSRELEASE=' ||
        echo "no VMCOREINFO at '$gpa';"
}

# The datum, once there, must be the truth, and the poller must never have seen another kcr3.
judge()
{
    local name=$1 polls=$2 truth shown faults wrong
    truth=$(bed_truth "$name")
    if ! bed_wait_datum "$polls" 20; then
        not_ok "$name" "no datum 20 s after the guest came up; $(bed_state_line "$name")"
        return
    fi
    faults=$(bed_datum_faults "$(bed_datum "$name")" "$truth")
    shown=$(bed_ctl show "$name")
    faults+=$(bed_private_faults "$shown" "$truth")
    faults+=$(vmcoreinfo_fault "$name" "$shown" "$truth")
    # Metadata is for everybody: a kernel address there would give KASLR away.
    if bed_datum "$name" | grep -q 'ffffffff'; then faults+="metadata has a virtual address"; fi
    wrong=$(bed_wrong_polls "$polls" "$truth")
    if [ -n "$faults" ]; then
        not_ok "$name" "${faults//$'\n'/ }"
    elif [ -n "$wrong" ]; then
        not_ok "$name" "a wrong datum was visible: ${wrong%%$'\n'*}"
    else
        ok "$name"
    fi
}

boot()
{
    local name=$1 polls="$BED_DIR/log/polls-$1"
    shift
    diag "$name: $*"
    bed_create "$name" "$@"
    bed_poll_metadata "$name" "$polls"
    if bed_wait_up "$name" 120; then
        judge "$name" "$polls"
    else
        not_ok "$name" "the guest did not come up in 120 s"
    fi
    bed_kill "$BED_POLLER"
    bed_destroy "$name"
}

bed_start
bed_agent_start
for ((i = 0; i < ${MEMCTX_BOOTS:-6}; i++)); do
    read -ra keys <<< "${kinds[i % ${#kinds[@]}]}"
    if [ ${#packages[@]} != 0 ]; then keys+=("kernel=$(bed_kernel "${packages[i % ${#packages[@]}]}")"); fi
    boot "boots-$((i + 1))" "${keys[@]}"
done
finish
