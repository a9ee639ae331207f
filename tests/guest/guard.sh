#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Others write and remove the datum, and start agents of their own: what stands in the metadata is right soon, and one
# agent vouches for it.
# shellcheck disable=SC2317 # functions called by bed_until
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

FORGED='<memctx generation="7"><kcr3>0xdead000</kcr3></memctx>'
CLAIM_NS=urn:memctx:agent:1

forge() { bed_virsh metadata "$1" "$BED_NS" --key memctx --set "$FORGED" > /dev/null; }
remove() { bed_virsh metadata "$1" "$BED_NS" --remove > /dev/null; }
datum_is() { [ "$(bed_datum "$1")" = "$2" ]; }
no_datum() { ! bed_datum "$1"; }
no_claim() { ! bed_virsh metadata "$1" "$CLAIM_NS"; }
log_count() { grep -c -- "$1" "$(bed_agent_log)" || true; }
# A second is promised; a machine that has much else to do gets more.
soon() { if bed_until 5 "${@:2}"; then ok "$1"; else not_ok "$1" "never: ${*:2}"; fi; }
at_last() { if bed_until 60 "${@:2}"; then ok "$1"; else not_ok "$1" "never: ${*:2}"; fi; }

# Another memctxd on the same libvirt, in a directory of its own: its exit status, its words in a file.
second_agent()
{
    local status=0
    bed_as_user timeout -s KILL 60 "$BED_DIR/bin/memctxd" -c "$BED_URI" --runtime-dir "$BED_DIR/run/second" "$@" \
        > "$BED_DIR/log/second.log" 2>&1 || status=$?
    echo "$status"
}

ready_is_put_right()
{
    local datum
    datum=$(bed_datum guest)
    remove guest
    soon ready-removed datum_is guest "$datum"
    forge guest
    soon ready-forged datum_is guest "$datum"
    is ready-told-once "$(log_count "somebody else changed the domain's metadata; they were put right")" 1
    bed_virsh suspend guest > /dev/null
    remove guest
    soon paused-removed datum_is guest "$datum"
    forge guest
    soon paused-forged datum_is guest "$datum"
    bed_virsh resume guest > /dev/null
    at_last ready-after-pause bed_has_state guest ready
    is ready-same-kernel "$(bed_datum guest | grep -E 'generation|kcr3')" "$(grep -E 'generation|kcr3' <<< "$datum")"
}

# A guest without a kernel: it waits for ever.
waiting_is_put_right()
{
    bed_create empty boot=firmware
    at_last waiting bed_has_state empty waiting
    forge empty
    soon waiting-forged no_datum empty
    bed_virsh suspend empty > /dev/null
    forge empty
    soon waiting-paused-forged no_datum empty
    bed_destroy empty
}

# At its end what should stand there does, and the log has told it in two lines.
fight_is_bounded()
{
    local datum
    datum=$(bed_datum guest)
    for _ in $(seq 100); do forge guest; done
    soon fight-is-told bed_until 5 is_fought
    at_last fight-ends-right datum_is guest "$datum"
    like fight-state "$(bed_state_line guest)" 'ready.*somebody else keeps changing'
    is fight-log "$(log_count "uuid=$(bed_uuid guest) somebody else changed")" 2
}
is_fought() { bed_state_line guest | grep -q 'somebody else'; }

second_is_refused()
{
    local datum
    datum=$(bed_datum guest)
    is second-status "$(second_agent)" 1
    is second-words "$(grep -c 'another memctxd vouches' "$BED_DIR/log/second.log")" 1
    is second-left-datum "$(bed_datum guest)" "$datum"
    soon second-left-nothing no_claim guest
    is second-retract-status "$(second_agent --retract)" 0
    like second-retract-words "$(cat "$BED_DIR/log/second.log")" 'nothing withdrawn'
    is second-retract-left-datum "$(bed_datum guest)" "$datum"
    if bed_agent_alive; then ok second-first-lives; else not_ok second-first-lives "it ended"; fi
}

# Both wait for a first domain; then one of them ends, and not the one that was there long before.
second_waits_too()
{
    bed_spawn "$BED_DIR/log/second.log" timeout -s KILL 120 "$BED_DIR/bin/memctxd" -c "$BED_URI" \
        --runtime-dir "$BED_DIR/run/second"
    local pid=$BED_SPAWNED
    bed_until 60 test -S "$BED_DIR/run/second/control.sock" || bed_die "no second agent"
    bed_create guest
    at_last idle-second-ends bed_gone "$pid"
    if bed_agent_alive; then ok idle-first-lives; else not_ok idle-first-lives "it ended"; fi
    at_last idle-ready bed_has_state guest ready
    at_last idle-datum bed_datum guest
    soon idle-left-nothing no_claim guest
}

# Nobody answers for an agent that was killed.
killed_is_followed()
{
    local datum
    datum=$(bed_datum guest)
    bed_agent_stop KILL || true
    bed_spawn "$(bed_agent_log)" "$BED_DIR/bin/memctxd" -c "$BED_URI" --runtime-dir "$BED_DIR/run/second"
    bed_until 60 test -S "$BED_DIR/run/second/control.sock" || bed_die "no second agent"
    at_last killed-second-ready second_is_ready
    at_last killed-second-files test -e "$BED_DIR/run/second/domains/$(bed_uuid guest).xml"
    is killed-same-kernel "$(bed_datum guest | grep kcr3)" "$(grep kcr3 <<< "$datum")"
    soon killed-left-nothing no_claim guest
    kill -TERM "$BED_SPAWNED"
    wait "$BED_SPAWNED" || true
    is killed-second-withdraws "$(no_datum guest > /dev/null 2>&1 && echo gone)" gone
}
second_is_ready() { bed_ctl --runtime-dir "$BED_DIR/run/second" list | grep -w guest | grep -qw ready; }

# What the dead left is withdrawn, from whatever directory.
retracted_from_elsewhere()
{
    bed_agent_start
    at_last retract-ready bed_has_state guest ready
    at_last retract-datum bed_datum guest
    bed_agent_stop KILL || true
    is retract-status "$(second_agent --retract)" 0
    is retract-gone "$(no_datum guest > /dev/null 2>&1 && echo gone)" gone
    soon retract-left-nothing no_claim guest
}

bed_start
bed_agent_start
sleep 6 # it has listened for long
second_waits_too
ready_is_put_right
waiting_is_put_right
second_is_refused
fight_is_bounded
killed_is_followed
retracted_from_elsewhere
bed_destroy guest
finish
