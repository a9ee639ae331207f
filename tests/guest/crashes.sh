#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A CPU that spins with interrupts off is silent, and goes on as the same generation; and a guest that tells of its
# panic by pvpanic does what on_crash says.
#
#   MEMCTX_CRASHES  values of on_crash (default: all of libvirt's)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

live_of() { bed_datum "$1" 2> /dev/null | bed_datum_attribute memctx live; }
has_live() { [ "$(live_of "$1")" = "$2" ]; }
generation() { bed_datum "$1" 2> /dev/null | bed_datum_attribute memctx generation; }
has_generation() { [ "$(generation "$1")" = "$2" ]; }
is_gone() { ! bed_virsh domstate "$1" > /dev/null 2>&1; }
is_unknown() { [ -z "$(bed_state_line "$1")" ]; }

spin() { bed_as_user python3 "$BED_DIR/bin/spin.py" "$BED_DIR/console/spin.gdb" "$BED_DIR/home/spin" "$1"; }

spins()
{
    bed_create spin "args=-gdb unix:$BED_DIR/console/spin.gdb,server=on,wait=off"
    if ! bed_wait_up spin 60 || ! bed_wait_state spin ready 60; then
        not_ok spin-ready "$(bed_state_line spin)"
        return
    fi
    spin spin
    # The pause makes it doubtful at once; then its CPU may be busy for 10 s before it counts as silent.
    if bed_until 30 has_live spin no; then ok spin-silent; else not_ok spin-silent "$(bed_state_line spin)"; fi
    sleep 3
    is spin-stays "$(generation spin) $(live_of spin)" "1 no"
    spin release
    if bed_wait_state spin ready 10; then ok spin-again; else not_ok spin-again "$(bed_state_line spin)"; fi
    is spin-same "$(generation spin) $(live_of spin)" "1 "
    is spin-hooks "$(grep '^spin ' "$calls" | cut -d ' ' -f 2 | grep -c silent)" 1
    bed_destroy spin
}

# boots ON_CRASH: a domain of that name that can tell of its panic. They come up beside each other.
boots()
{
    bed_create "crash-$1" memory=256 on_crash="$1" initrd="$initramfs" append=panic=0 "devices=<panic model='isa'/>"
}

# crash ON_CRASH: it panics and has told so
crash()
{
    local name=crash-$1
    bed_wait_up "$name" 120 && bed_wait_state "$name" ready 60 && bed_tell "$name" panic && return
    not_ok "$name-ready" "$(bed_state_line "$name")"
    return 1
}

dumps() { find "$BED_DIR/config/libvirt/qemu/dump" -type f -size +1M 2> /dev/null | wc -l; }

# dumped ON_CRASH COUNT: libvirt has written so many dumps by now
dumped()
{
    [[ $1 == coredump-* ]] || return 0
    if bed_until 60 has_dumps "$2"; then ok "crash-$1-dump"; else not_ok "crash-$1-dump" "$(dumps) dumps"; fi
}
has_dumps() { [ "$(dumps)" -ge "$1" ]; }

ends()
{
    local before file
    before=$(dumps)
    file="$BED_DIR/run/memctxd/domains/$(bed_uuid "crash-$1").xml"
    crash "$1" || return 0
    if bed_until 120 is_gone "crash-$1"; then ok "crash-$1-gone"; else not_ok "crash-$1-gone" "it is still there"; fi
    if bed_until 5 is_unknown "crash-$1"; then ok "crash-$1-list"; else not_ok "crash-$1-list" "$(bed_state_line "crash-$1")"; fi
    if [ ! -e "$file" ]; then ok "crash-$1-file"; else not_ok "crash-$1-file" "it stays"; fi
    dumped "$1" $((before + 1))
}

restarts()
{
    local name=crash-$1 before
    before=$(dumps)
    crash "$1" || return 0
    bed_wait_up "$name" 120 2 || not_ok "$name-up" "the guest does not come up again"
    if bed_until 60 has_generation "$name" 2; then ok "$name-next"; else not_ok "$name-next" "$(bed_state_line "$name")"; fi
    is "$name-live" "$(bed_state "$name") $(live_of "$name")" "ready "
    is "$name-truth" "$(bed_datum_faults "$(bed_datum "$name")" "$(bed_truth "$name")")" ""
    dumped "$1" $((before + 1))
    bed_destroy "$name"
}

preserves()
{
    local name=crash-preserve
    crash preserve || return 0
    if bed_until 3 has_live "$name" no; then ok "$name-live"; else not_ok "$name-live" "$(bed_state_line "$name")"; fi
    is "$name-libvirt" "$(bed_virsh domstate "$name" | xargs)" crashed
    is "$name-state" "$(bed_state "$name") $(generation "$name")" "silent 1"
    # It stopped when it told, before its last line.
    is "$name-dmesg" "$(bed_ctl dmesg "$name" 2> /dev/null | grep -c 'Kernel panic - not syncing')" 1
    # An agent that comes later finds the same.
    bed_agent_stop KILL || true
    bed_agent_start
    bed_wait_state "$name" silent 30 || true
    is "$name-next-agent" "$(bed_state "$name") $(generation "$name") $(live_of "$name")" "silent 1 no"
    bed_destroy "$name"
}

bed_start
calls="$BED_DIR/log/hooks"
bed_note_hooks "$calls"
bed_agent_start
spins
if initramfs=$(bed_modules_initramfs pvpanic pvpanic-mmio); then
    kinds=${MEMCTX_CRASHES:-preserve destroy restart coredump-destroy coredump-restart}
    for what in $kinds; do boots "$what"; done
    for what in $kinds; do
        case "$what" in
            preserve) preserves ;;
            *restart) restarts "$what" ;;
            *) ends "$what" ;;
        esac
    done
else
    skip crash "the kernel's package cannot be had"
fi
bed_agent_stop TERM || true
finish
