#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A guest that died is served, not dropped: its domain is silent, with the datum of its last kernel, until it is reset or
# another kernel runs. One that is merely idle, suspended, stopped or starved is none of this. And a paused guest proves
# nothing: what a reset has ended stays dead, over restarts of the agent and of libvirt.
#
#   MEMCTX_SILENT_S  seconds to watch what is not dead (default 12)
#   MEMCTX_KERNEL    Debian kernel package of the guest (default: the cloud kernel of this release)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

watch_s=${MEMCTX_SILENT_S:-12}

# Hooks write down what they are told: "DOMAIN WHAT GENERATION".
install_hook()
{
    mkdir -p "$BED_DIR/config/hooks"
    printf '#!/bin/sh\necho "$@" >> %s\n' "$calls" > "$BED_DIR/config/hooks/10-note"
    chmod -R go-w,a+rX "$BED_DIR/config/hooks"
    chmod 755 "$BED_DIR/config/hooks/10-note"
    : > "$calls"
    chmod 666 "$calls"
    echo "hooks_dir = \"$BED_DIR/config/hooks\"" > "$BED_DIR/config/memctxd.conf"
    # shellcheck disable=SC2034 # for bed_agent_start
    BED_AGENT_OPTIONS=(--config "$BED_DIR/config/memctxd.conf")
}

told() { grep -c "^$1\$" "$calls" || true; }
calls_of() { grep -c "^$1 " "$calls" || true; }
has_no_datum() { ! bed_datum "$1" > /dev/null 2>&1; }
is_panicked() { grep -q 'end Kernel panic' "$(bed_console "$1")" 2> /dev/null; }
live_of() { bed_datum "$1" 2> /dev/null | bed_datum_attribute memctx live; }
has_live() { [ "$(live_of "$1")" = "$2" ]; }
# Times that others saw another state of the domain, as the log has it.
changes() { grep -c "name=$1 .*->" "$(bed_agent_log)" || true; }

# ready NAME [KEY=VALUE...]: a domain whose kernel is published and up
ready()
{
    local name=$1
    bed_create "$@" "kernel=$(bed_kernel ${MEMCTX_KERNEL:+"$MEMCTX_KERNEL"})"
    bed_wait_state "$name" ready 60 && bed_wait_up "$name" 60 && return
    not_ok "$name-ready" "$(bed_state_line "$name")"
    return 1
}

# died NAME: it says so on its console; the agent has two seconds from then on
died()
{
    local name=$1
    bed_until 60 is_panicked "$name" || { not_ok "$name-panic" "the guest does not panic"; return 1; }
    if bed_until 3 has_live "$name" no; then ok "$name-marked"; else not_ok "$name-marked" "$(bed_state_line "$name")"; fi
    is "$name-state" "$(bed_state "$name")" silent
    sleep "$watch_s"
    is "$name-stays" "$(bed_state "$name") $(live_of "$name")" "silent no"
    is "$name-invalid" "$(bed_datum_invalid "$(bed_datum "$name")")" ""
}

# served NAME BASE: what readers get of a dead guest, whose kernel's image is at BASE
served()
{
    local name=$1 said
    is "$name-live" "$(bed_datum "$name" | bed_datum_attribute memctx live)" no
    like "$name-list" "$(bed_state_line "$name")" ' silent +1 +still for [0-9]+ s: '
    said=$(bed_ctl read "$name" "$2" 16 2>&1) || true
    like "$name-read" "$said" '^ffffffff[0-9a-f]{8}  ([0-9a-f]{2} +){16}'
    like "$name-warning" "$said" "^warning: domain '$name' does not run: its kernel has stood still since 20"
    # shellcheck disable=SC2016 # for the shell inside
    is "$name-exec" "$(bed_ctl exec "$name" -- sh -c 'echo "$MEMCTX_LIVE"' 2> /dev/null)" no
    bed_ctl core "$name" --output "$BED_DIR/home/dead.core" 2> "$BED_DIR/log/core" || true
    like "$name-core" "$(head -c 4 "$BED_DIR/home/dead.core" | tail -c 3)" ELF
    rm -f "$BED_DIR/home/dead.core"
}

# By sysrq, with all that can be seen of it; the reset begins the second generation.
panics()
{
    local name=dead$1 base
    ready "$name" append=panic=0 "vcpus=$1" || return 0
    base=$(bed_ctl show "$name" | bed_datum_attribute kernel base)
    bed_tell "$name" panic
    died "$name" || return 0
    is "$name-hook" "$(told "$name silent 1")" 1
    served "$name" "$base"
    # An agent that comes later has not seen it run.
    bed_agent_stop KILL || true
    bed_agent_start
    bed_wait_state "$name" silent 30 || true
    is "$name-next-agent" "$(bed_state "$name") $(live_of "$name")" "silent no"
    bed_virsh reset "$name" > /dev/null
    if bed_until 2 has_no_datum "$name"; then ok "$name-reset"; else not_ok "$name-reset" "$(bed_datum "$name")"; fi
    bed_wait_state "$name" ready 60 || not_ok "$name-again" "$(bed_state_line "$name")"
    is "$name-next" "$(bed_datum "$name" | bed_datum_attribute memctx generation)" 2
    is "$name-next-live" "$(live_of "$name")" ""
    bed_destroy "$name"
}

# Without a root file system, in mount_root(): before anybody was up.
panics_in_mount_root()
{
    : > "$BED_DIR/config/none"
    chmod 644 "$BED_DIR/config/none"
    bed_create rootless append="panic=0 root=/dev/none" "initrd=$BED_DIR/config/none"
    if ! bed_wait_state rootless ready 60 && ! bed_wait_state rootless silent 1; then
        not_ok rootless-ready "$(bed_state_line rootless)"
    else
        died rootless || true
    fi
    bed_destroy rootless
}

# unmoved WHAT NAME CHANGES CALLS: nothing happened to it since then
unmoved()
{
    is "$1-state" "$(bed_state "$2")" ready
    is "$1-transitions" $(($(changes "$2") - $3)) 0
    is "$1-hooks" $(($(calls_of "$2") - $4)) 0
}

# QEMU gets no CPU time at all, and then as much as it likes beside others.
stopped_and_starved()
{
    local pid before calls_before burners=() i
    ready idle || return 0
    pid=$(bed_pid idle)
    before=$(changes idle) calls_before=$(calls_of idle)
    kill -STOP "$pid"
    sleep "$watch_s"
    kill -CONT "$pid"
    sleep 3
    unmoved stopped idle "$before" "$calls_before"
    for i in 1 2 3 4; do
        bed_spawn /dev/null sh -c 'while :; do :; done'
        burners+=("$BED_SPAWNED")
    done
    sleep "$watch_s"
    for i in "${burners[@]}"; do bed_kill "$i"; done
    unmoved starved idle "$before" "$calls_before"
    bed_destroy idle
}

# freezes NAME COMMAND: its clocks stand, and no CPU is busy
freezes()
{
    local before calls_before
    ready "$1" || return 0
    before=$(changes "$1") calls_before=$(calls_of "$1")
    bed_tell "$1" "$2"
    sleep "$watch_s"
    unmoved "$1" "$1" "$before" "$calls_before"
    bed_destroy "$1"
}

# The CPU is in the firmware, and the old kernel complete in RAM.
paused_after_a_reset()
{
    ready late || return 0
    bed_virsh reset late > /dev/null
    sleep 0.4
    bed_virsh suspend late > /dev/null
    bed_until 5 has_no_datum late || not_ok late-reset "$(bed_datum late)"
    bed_agent_stop KILL || true
    bed_agent_start
    bed_wait_state late silent 30 || true
    is late-new-agent "$(bed_state late)$(bed_datum late 2> /dev/null)" silent
    bed_libvirtd_kill
    bed_libvirtd_up
    sleep 3
    bed_wait_state late silent 30 || true
    is late-new-libvirtd "$(bed_state late)$(bed_datum late 2> /dev/null)" silent
    bed_virsh resume late > /dev/null
    bed_wait_up late 60 2 || true
    bed_wait_state late ready 60 || not_ok late-ready "$(bed_state_line late)"
    is late-generation "$(bed_datum late | bed_datum_attribute memctx generation)" 2
    is late-truth "$(bed_datum_faults "$(bed_datum late)" "$(bed_truth late)")" ""
    bed_destroy late
}

# Seen running before, and by nobody since.
paused_beside_a_new_agent()
{
    ready seen || return 0
    bed_virsh suspend seen > /dev/null
    bed_agent_stop KILL || true
    bed_agent_start
    bed_wait_state seen silent 30 || true
    is seen-new-agent "$(bed_state seen) $(live_of seen)" "silent unknown"
    bed_virsh resume seen > /dev/null
    bed_wait_state seen ready 30 || not_ok seen-ready "$(bed_state_line seen)"
    is seen-generation "$(bed_datum seen | bed_datum_attribute memctx generation)$(live_of seen)" 1
    bed_destroy seen
}

restored_paused()
{
    ready saved || return 0
    bed_virsh save saved "$BED_DIR/home/saved" > /dev/null
    bed_virsh restore "$BED_DIR/home/saved" --paused > /dev/null
    bed_wait_state saved silent 30 || true
    is saved-silent "$(bed_state saved)$(bed_datum saved 2> /dev/null)" silent
    bed_agent_stop KILL || true
    bed_agent_start
    bed_wait_state saved silent 30 || true
    is saved-new-agent "$(bed_state saved)$(bed_datum saved 2> /dev/null)" silent
    bed_virsh resume saved > /dev/null
    bed_wait_state saved ready 60 || not_ok saved-ready "$(bed_state_line saved)"
    is saved-generation "$(bed_datum saved | bed_datum_attribute memctx generation)" 1
    bed_destroy saved
    rm -f "$BED_DIR/home/saved"
}

bed_start
calls="$BED_DIR/log/hooks"
install_hook
bed_agent_start
panics 1
panics 4
panics_in_mount_root
stopped_and_starved
freezes frozen freeze
freezes halted halt
paused_after_a_reset
paused_beside_a_new_agent
restored_paused
bed_agent_stop TERM || true
finish
