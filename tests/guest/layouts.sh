#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A guest whose RAM goes on at 4 GiB or at 1 TiB, and the host cannot know which: its kernel tells. It may be KVM that
# runs the vCPU, or TCG that does in its place: then it has another vendor.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# doubtful NAME CPU GPA: with this model QEMU puts the upper half there
doubtful()
{
    local name=$1 truth datum
    bed_create "$name" memory=4096 cells=4096 room=1046528 cpu=qemu64 "args=-cpu $2,phys-bits=48 -accel kvm"
    if ! bed_wait_up "$name" 60 || ! bed_wait_state "$name" ready 60; then
        not_ok "$name" "is: $(bed_state_line "$name")"
        return
    fi
    truth=$(bed_truth "$name")
    datum=$(bed_datum "$name")
    is "$name" "$(bed_datum_faults "$datum" "$truth")" ""
    like "$name-guest" "$(bed_said "$name" | bed_field ram)" "$3-"
    like "$name-extent" "$datum" "<extent gpa=\"$3\" size=\"0x80000000\" backend=\"ram-node0\" offset=\"0x80000000\"/>"
    like "$name-proof" "$datum" '<evidence [^>]*layout="proven"'
    # By an agent that finds it paused, too.
    bed_virsh suspend "$name" > /dev/null
    bed_agent_stop TERM || true
    bed_agent_start
    bed_wait_state "$name" silent 60 || not_ok "$name-paused-state" "$(bed_state_line "$name")"
    like "$name-paused" "$(bed_datum "$name")" "<extent gpa=\"$3\""
    bed_destroy "$name"
}

bed_start
bed_agent_start
doubtful moved qemu64 0x10000000000
doubtful stays Skylake-Server 0x100000000
finish
