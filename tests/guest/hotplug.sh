#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# RAM that is plugged appears in the datum soon, RAM that is unplugged is let go; so is all of a dead guest's.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

dimm="$BED_TOP/none"

# has_extents NAME BACKEND...: the datum there and now has a piece of each of these memory devices, and of no other
has_extents()
{
    local name=$1
    shift
    [ "$(bed_datum "$name" | grep -o 'backend="mem[^"]*"' | sort -u | tr -d '\n')" = \
        "$(printf 'backend="%s"' "$@" | sed 's/backend=""//')" ]
}

plug() { bed_virsh attach-device "$1" "$dimm" --live > /dev/null; }
is_unplugged() { ! bed_virsh dumpxml "$1" | grep -q "<alias name='dimm1'/>"; }
held() { bed_agent_fds_of "$1" | wc -l; }

# The inode of the descriptor by which QEMU holds the youngest memfd of 256 MiB
dimm_inode()
{
    local fd
    for fd in "/proc/$(bed_pid "$1")/fd/"*; do
        [ "$(stat -L -c %s "$fd" 2> /dev/null)" != 268435456 ] || stat -L -c %d:%i "$fd"
    done | tail -n 1
}

expect_extents()
{
    local what=$1
    shift
    if bed_in_turns 100 has_extents "$@"; then ok "$what"; else not_ok "$what" "$(bed_datum "$1" 2>&1 | tr '\n' ' ')"; fi
}

# Nothing in the guest onlines a DIMM, so that it gives each one back.
plug_and_unplug()
{
    local name=$1 inode=
    bed_wait_up "$name" 60 && bed_wait_state "$name" ready 60 || not_ok "$name-ready" "$(bed_state_line "$name")"
    expect_extents "$name-before" "$name" ""
    plug "$name"
    expect_extents "$name-plugged" "$name" memdimm0
    is "$name-kcr3" "$(bed_datum "$name" | bed_datum_element kcr3)" "$(bed_root "$name")"
    plug "$name"
    expect_extents "$name-second" "$name" memdimm0 memdimm1
    [ "$name" = private ] || inode=$(dimm_inode "$name")
    [ -z "$inode" ] || is "$name-held" "$(held "$inode")" 1
    bed_virsh detach-device-alias "$name" dimm1 --live > /dev/null
    bed_until 60 is_unplugged "$name" || diag "$name: the guest does not give the DIMM back"
    expect_extents "$name-unplugged" "$name" memdimm0
    [ -z "$inode" ] || is "$name-let-go" "$(held "$inode")" 0
    plug "$name"
    expect_extents "$name-again" "$name" memdimm0 memdimm1
    bed_destroy "$name"
}

is_held() { [ "$(held "$1")" != 0 ]; }

# Processes that have this file open or mapped, whoever runs them: /proc/PID/maps has the device as MAJOR:MINOR in hex.
holders()
{
    local device
    device=$(printf '%02x:%02x %s' $((${1%:*} >> 8)) $((${1%:*} & 255)) "${1#*:}")
    { stat -L -c '%d:%i %n' /proc/[0-9]*/fd/* | grep "^$1 "; grep -F " $device " /proc/[0-9]*/maps; } 2> /dev/null || true
}
is_free() { [ -z "$(holders "$1")" ]; }

# A descriptor that is held pins all of a dead guest's RAM; a memfd that nobody has open or mapped is gone.
freed()
{
    local ram
    bed_create dead memory=2048 paused=yes
    bed_wait_state dead waiting 60 || not_ok dead-waiting "$(bed_state_line dead)"
    dd if=/dev/zero of="$(bed_ram_fd dead)" bs=1M count=512 seek=1536 conv=notrunc status=none
    ram=$(stat -L -c %d:%i "$(bed_ram_fd dead)")
    bed_until 60 is_held "$ram" || not_ok dead-held "nobody holds the RAM"
    like dead-seen "$(holders "$ram")" '/maps:'
    bed_destroy dead
    if bed_in_turns 50 is_free "$ram"; then ok dead-freed; else not_ok dead-freed "$(holders "$ram")"; fi
}

bed_start
bed_agent_start
dimm="$BED_DIR/config/dimm.xml"
echo "<memory model='dimm'><target><size unit='MiB'>256</size><node>0</node></target></memory>" > "$dimm"
bed_create shared memory=512 cells=512 room=1024
plug_and_unplug shared
bed_create private memory=512 cells=512 room=1024 backing=none
plug_and_unplug private
freed
finish
