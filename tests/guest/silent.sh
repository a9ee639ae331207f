#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A guest that died is served, not dropped: its domain is silent, with the datum of its last kernel, until it is reset or
# another kernel runs. One that is merely idle, suspended, stopped or starved is none of this. And a paused guest proves
# nothing: what a reset has ended stays dead, over restarts of the agent and of libvirt. What others forge meanwhile is
# believed in none of these states.
# LONG
#
#   MEMCTX_SILENT_S  seconds to watch what is not dead (default 12)
#   MEMCTX_KERNEL    Debian kernel package of the guest (default: the cloud kernel of this release)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

watch_s=${MEMCTX_SILENT_S:-12}

told() { grep -c "^$1\$" "$calls" || true; }
calls_of() { grep -c "^$1 " "$calls" || true; }
has_no_datum() { ! bed_datum "$1" > /dev/null 2>&1; }
is_panicked() { grep -q 'end Kernel panic' "$(bed_console "$1")" 2> /dev/null; }
live_of() { bed_datum "$1" 2> /dev/null | bed_datum_attribute memctx live; }
has_live() { [ "$(live_of "$1")" = "$2" ]; }
# Times that others saw another state of the domain, as the log has it.
changes() { grep -c "name=\"$1\" .*->" "$(bed_agent_log)" || true; }

# ---- guests that run ------------------------------------------------------------------------------------

# Guests that did not come up; nothing more is asked of them.
declare -A absent=()
is_there() { [ -z "${absent[$1]-}" ]; }

create() { bed_create "$@" "kernel=$(bed_kernel ${MEMCTX_KERNEL:+"$MEMCTX_KERNEL"})"; }

# ready NAME...: domains whose kernels are published and up. They boot beside each other.
ready()
{
    local name
    for name in "$@"; do
        bed_wait_state "$name" ready 180 && bed_wait_up "$name" 180 && continue
        not_ok "$name-ready" "$(bed_state_line "$name")"
        absent[$name]=yes
    done
}

next_agent()
{
    bed_agent_stop KILL || true
    bed_agent_start
}

# What stood when "still" was said of a domain: transitions and hooks. Others judge by them that nothing has happened since.
declare -A changes_then=() calls_then=()
still() { changes_then[$1]=$(changes "$1") calls_then[$1]=$(calls_of "$1"); }

# unmoved NAME
unmoved()
{
    is_there "$1" || return 0
    is "$1-state" "$(bed_state "$1")" ready
    is "$1-transitions" $(($(changes "$1") - changes_then[$1])) 0
    is "$1-hooks" $(($(calls_of "$1") - calls_then[$1])) 0
}

# ---- guests that die ------------------------------------------------------------------------------------

# dies NAME: it says so on its console; the agent has two seconds from then on.
dies()
{
    is_there "$1" || return 0
    if ! bed_until 180 is_panicked "$1"; then
        not_ok "$1-panic" "the guest does not panic"
        absent[$1]=yes
        return
    fi
    if bed_until 3 has_live "$1" no; then ok "$1-marked"; else not_ok "$1-marked" "$(bed_state_line "$1")"; fi
    is "$1-state" "$(bed_state "$1")" silent
}

stays_dead()
{
    is_there "$1" || return 0
    is "$1-stays" "$(bed_state "$1") $(live_of "$1")" "silent no"
    is "$1-invalid" "$(bed_datum_invalid "$(bed_datum "$1")")" ""
}

# served NAME: what readers get of a dead guest
served()
{
    local name=$1 said base
    is_there "$name" || return 0
    base=$(bed_ctl show "$name" | bed_datum_attribute kernel base)
    is "$name-hook" "$(told "$name silent 1")" 1
    is "$name-live" "$(bed_datum "$name" | bed_datum_attribute memctx live)" no
    like "$name-list" "$(bed_state_line "$name")" ' silent +1 +still for [0-9]+ s: '
    said=$(bed_ctl read "$name" "$base" 16 2>&1) || true
    like "$name-read" "$said" '^ffffffff[0-9a-f]{8}  ([0-9a-f]{2} +){16}'
    like "$name-warning" "$said" "^warning: domain '$name' does not run: its kernel has stood still since 20"
    # shellcheck disable=SC2016 # for the shell inside
    is "$name-exec" "$(bed_ctl exec "$name" -- sh -c 'echo "$MEMCTX_LIVE"' 2> /dev/null)" no
    bed_ctl core "$name" --output "$BED_DIR/home/dead.core" 2> "$BED_DIR/log/core" || true
    like "$name-core" "$(head -c 4 "$BED_DIR/home/dead.core" | tail -c 3)" ELF
    rm -f "$BED_DIR/home/dead.core"
}

# An agent that comes later has not seen it run.
dead_to_the_next()
{
    is_there "$1" || return 0
    bed_wait_state "$1" silent 60 || true
    is "$1-next-agent" "$(bed_state "$1") $(live_of "$1")" "silent no"
    is "$1-next-generation" "$(bed_datum "$1" | bed_datum_attribute memctx generation)" 1
    is "$1-next-root" "$(bed_datum "$1" | bed_datum_element kcr3)" "$(bed_root "$1")"
}

# ---- what others write ----------------------------------------------------------------------------------

FORGED="<memctx generation='4294967295'><kcr3>0xdead000</kcr3></memctx>"
forge() { ! is_there "$1" || bed_virsh metadata "$1" "$BED_NS" --key memctx --set "$FORGED" > /dev/null; }
datum_is() { [ "$(bed_datum "$1" 2> /dev/null)" = "$2" ]; }

# forged NAME WHAT: what stood there, or that nothing did, is put right. A second is promised; a machine that has much
# else to do gets more.
forged()
{
    local before
    is_there "$1" || return 0
    before=$(bed_datum "$1" 2> /dev/null) || before=
    forge "$1"
    if bed_until 5 datum_is "$1" "$before"; then ok "$1-forged-$2"; else not_ok "$1-forged-$2" "$(bed_datum "$1")"; fi
}

# The reset begins the second generation.
reset()
{
    is_there "$1" || return 0
    bed_virsh reset "$1" > /dev/null
    if bed_until 2 has_no_datum "$1"; then ok "$1-reset"; else not_ok "$1-reset" "$(bed_datum "$1")"; fi
}
lives_again()
{
    is_there "$1" || return 0
    bed_wait_state "$1" ready 120 || not_ok "$1-again" "$(bed_state_line "$1")"
    is "$1-next" "$(bed_datum "$1" | bed_datum_attribute memctx generation)" 2
    is "$1-next-live" "$(live_of "$1")" ""
}

# ---- guests that are paused -----------------------------------------------------------------------------

# The CPU is in the firmware, and the old kernel complete in RAM: at once, before the next kernel is unpacked over it.
pause_after_a_reset()
{
    is_there "$1" || return 0
    bed_virsh reset "$1" > /dev/null
    bed_virsh suspend "$1" > /dev/null
    bed_until 5 has_no_datum "$1" || not_ok "$1-reset" "$(bed_datum "$1")"
}

# The file's own datum is forged, too.
restore_paused()
{
    is_there "$1" || return 0
    bed_virsh save "$1" "$BED_DIR/home/saved" > /dev/null
    bed_virsh save-image-dumpxml "$BED_DIR/home/saved" |
        sed -E "s/generation=(['\"])[0-9]+/generation=\14294967295/; s/(kcr3>)0x[0-9a-f]+/\10xdead000/" > "$BED_DIR/home/saved.xml"
    chmod 644 "$BED_DIR/home/saved.xml"
    is "$1-image-forged" "$(grep -c 0xdead000 "$BED_DIR/home/saved.xml")" 1
    bed_virsh save-image-define "$BED_DIR/home/saved" "$BED_DIR/home/saved.xml" > /dev/null
    bed_virsh restore "$BED_DIR/home/saved" --paused > /dev/null
    rm -f "$BED_DIR/home/saved"
    silent_without_datum "$1" silent
}

silent_without_datum()
{
    is_there "$1" || return 0
    bed_wait_state "$1" silent 30 || true
    is "$1-$2" "$(bed_state "$1")$(bed_datum "$1" 2> /dev/null)" silent
}

# Seen running before, and by nobody since.
silent_with_datum()
{
    is_there "$1" || return 0
    bed_wait_state "$1" silent 30 || true
    is "$1-$2" "$(bed_state "$1") $(live_of "$1")" "silent unknown"
}

# goes_on NAME GENERATION: it has been resumed
goes_on()
{
    is_there "$1" || return 0
    bed_wait_state "$1" ready 120 || not_ok "$1-ready" "$(bed_state_line "$1")"
    is "$1-generation" "$(bed_datum "$1" | bed_datum_attribute memctx generation)$(live_of "$1")" "$2"
}

# ---- what happens, in this order ------------------------------------------------------------------------

# By sysrq; and without a root file system, in mount_root(), before anybody was up. Beside them guests whose clocks stand
# and whose CPUs are idle, and one whose QEMU gets no CPU time at all. All are watched at once.
deaths_and_sleep()
{
    local name pid
    : > "$BED_DIR/config/none"
    chmod 644 "$BED_DIR/config/none"
    bed_create rootless append="panic=0 root=/dev/none" "initrd=$BED_DIR/config/none"
    for name in frozen halted stopped; do create "$name"; done
    create dead1 append=panic=0 "args=$(bed_judged_args dead1)"
    bed_judge dead1
    create dead4 append=panic=0 vcpus=4
    dies rootless
    ready dead1 dead4 frozen halted stopped
    for name in dead1 dead4; do
        ! is_there "$name" || bed_tell "$name" panic
        dies "$name"
    done
    for name in frozen halted stopped; do still "$name"; done
    ! is_there frozen || bed_tell frozen freeze
    ! is_there halted || bed_tell halted halt
    pid=$(bed_pid stopped)
    kill -STOP "$pid"
    # They boot meanwhile.
    for name in starved late witness saved; do create "$name"; done
    sleep "$watch_s"
    kill -CONT "$pid"
    sleep 3
    for name in rootless dead1 dead4; do stays_dead "$name"; done
    for name in frozen halted stopped; do
        unmoved "$name"
        bed_destroy "$name"
    done
    bed_destroy rootless
    for name in dead1 dead4; do
        served "$name"
        forged "$name" silent
    done
}

# Beside one that has to share its CPU time with others; that watch begins when the next agent has found it.
deaths_and_the_next_agent()
{
    local name i burners=()
    ready starved late witness saved
    bed_agent_stop KILL || true
    forge dead4
    bed_agent_start
    ready starved
    still starved
    for i in 1 2 3 4; do
        bed_spawn /dev/null sh -c 'while :; do :; done'
        burners+=("$BED_SPAWNED")
    done
    sleep "$watch_s"
    for i in "${burners[@]}"; do bed_kill "$i"; done
    unmoved starved
    bed_destroy starved
    for name in dead1 dead4; do dead_to_the_next "$name"; done
    for name in dead1 dead4; do reset "$name"; done
    for name in dead1 dead4; do
        lives_again "$name"
        [ "$name" != dead1 ] || is dead1-judged "$(bed_judged dead1)" ""
        bed_destroy "$name"
    done
}

paused()
{
    local name
    ready late witness saved
    ! is_there witness || bed_virsh suspend witness > /dev/null
    restore_paused saved
    pause_after_a_reset late
    next_agent
    silent_without_datum late new-agent
    silent_with_datum witness new-agent
    silent_without_datum saved new-agent
    forged late paused
    forged witness paused
    for name in witness saved; do
        ! is_there "$name" || bed_virsh resume "$name" > /dev/null
        goes_on "$name" 1
        bed_destroy "$name"
    done
    is_there late || return 0
    bed_libvirtd_kill
    bed_libvirtd_up
    sleep 3
    silent_without_datum late new-libvirtd
    bed_virsh resume late > /dev/null
    bed_wait_up late 120 2 || true
    goes_on late 2
    is late-truth "$(bed_datum_faults "$(bed_datum late)" "$(bed_truth late)")" ""
    bed_destroy late
}

bed_start
calls="$BED_DIR/log/hooks"
bed_note_hooks "$calls"
bed_agent_start
deaths_and_sleep
deaths_and_the_next_agent
paused
bed_agent_stop TERM || true
finish
