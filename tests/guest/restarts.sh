#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The agent, libvirtd and guests come and go at any moment; the datum is the same, and nothing is left behind.
# shellcheck disable=SC2317 # functions called by bed_until
# LONG
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

domain_files() { find "$BED_DIR/run/memctxd/domains" -type f 2> /dev/null; }
no_domain_files() { [ -z "$(domain_files)" ]; }
not_listed() { [ -z "$(bed_state_line short)" ]; }
is_unknown_to_libvirt() { ! bed_virsh domid "$1" > /dev/null 2>&1; }
no_datum() { ! bed_datum guest; }

# Descriptors of guest RAM, of whatever guest
ram_links()
{
    local fd
    for fd in "/proc/$BED_AGENT/fd/"*; do readlink "$fd" || true; done |
        grep -E 'memory-backend-memfd|/libvirt/qemu/ram/' || true
}
no_ram_held() { [ -z "$(ram_links)" ]; }

# at_last NAME COMMAND...: ok when the command succeeds; a minute is for a machine that stands still.
at_last()
{
    local name=$1
    shift
    if bed_until 60 "$@"; then ok "$name"; else not_ok "$name" "never: $*"; fi
}

# soon NAME COMMAND...: the same while the agent answers some times
soon()
{
    local name=$1
    shift
    if bed_in_turns 100 "$@"; then ok "$name"; else not_ok "$name" "not soon: $*"; fi
}

agent_after_guest()
{
    local faults
    bed_create guest
    bed_wait_up guest 60
    bed_agent_start
    at_last after-guest-ready bed_has_state guest ready
    faults=$(bed_datum_faults "$(bed_datum guest)" "$(bed_truth guest)")
    is after-guest-truth "$faults" ""
}

libvirtd_dies()
{
    bed_libvirtd_kill
    sleep 1
    if bed_agent_alive; then ok libvirtd-gone-agent-lives; else not_ok libvirtd-gone-agent-lives "it ended"; fi
    bed_libvirtd_up
    at_last libvirtd-back-ready bed_has_state guest ready
    is libvirtd-back-truth "$(bed_datum_faults "$(bed_datum guest)" "$(bed_truth guest)")" ""
}

# Stopped, not gone: only keepalive tells. Nothing is lost and nothing spins meanwhile.
libvirtd_hangs()
{
    local pid used
    pid=$(cat "$BED_DIR/run/libvirtd.pid")
    # Libvirt has been started a moment ago, and may still be answering what the agent has asked.
    sleep 2
    kill -STOP "$pid"
    at_last libvirtd-hangs-unknown bed_has_state guest unknown
    used=$(bed_permille 2)
    if [ "$used" -le 50 ]; then ok libvirtd-hangs-cpu; else not_ok libvirtd-hangs-cpu "$used permille of a core"; fi
    kill -CONT "$pid"
    at_last libvirtd-goes-on-ready bed_has_state guest ready
    is libvirtd-goes-on-truth "$(bed_datum_faults "$(bed_datum guest)" "$(bed_truth guest)")" ""
}

# What happens while libvirt is away: reset, and replaced by another run under what may be the same id.
guest_changes_meanwhile()
{
    bed_create other
    bed_wait_up other 60
    at_last meanwhile-ready bed_has_state other ready
    bed_libvirtd_kill
    bed_tell other reboot
    sleep 0.5
    bed_libvirtd_up
    bed_wait_up other 60 2
    at_last meanwhile-reset-ready bed_has_state other ready
    at_last meanwhile-reset-generation other_has_generation 2
    is meanwhile-reset-truth "$(bed_datum_faults "$(bed_datum other)" "$(bed_truth other)")" ""
    bed_libvirtd_kill
    kill -KILL "$(bed_pid other)"
    bed_libvirtd_up
    # It lists the old run until it has found nobody behind it.
    bed_until 60 is_unknown_to_libvirt other || bed_die "libvirtd keeps a domain without QEMU"
    bed_create other
    bed_wait_up other 60
    at_last meanwhile-replaced-ready bed_has_state other ready
    at_last meanwhile-replaced-generation other_has_generation 1
    is meanwhile-replaced-truth "$(bed_datum_faults "$(bed_datum other)" "$(bed_truth other)")" ""
    bed_destroy other
}
other_has_generation() { bed_datum other | grep -q "generation=[\"']$1[\"']"; }

# Withdrawn by whoever comes after; not while somebody vouches for it.
agent_is_retracted()
{
    local status=0
    bed_as_user "$BED_DIR/bin/memctxd" -c "$BED_URI" --retract > /dev/null 2>&1 || status=$?
    is retract-running-status "$status" 0
    if bed_datum guest > /dev/null 2>&1; then ok retract-running-stays; else not_ok retract-running-stays "it is gone"; fi
    bed_agent_stop KILL || true
    bed_as_user "$BED_DIR/bin/memctxd" -c "$BED_URI" --retract > /dev/null 2>&1 || status=$?
    is retract-status "$status" 0
    if no_datum > /dev/null 2>&1; then ok retract-gone; else not_ok retract-gone "it stays"; fi
    is retract-files "$(domain_files)" ""
    bed_agent_start
    at_last retract-ready bed_has_state guest ready
}

agent_dies()
{
    local before
    before=$(bed_datum guest)
    bed_agent_stop KILL || true
    bed_agent_start
    at_last agent-killed-ready bed_has_state guest ready
    is agent-killed-same-bytes "$(bed_datum guest)" "$before"
}

agent_stops()
{
    local status=0
    bed_agent_stop TERM || status=$?
    is agent-term-status "$status" 0
    at_last agent-term-withdraws no_datum
    at_last agent-term-files no_domain_files
}

# Guests that end while they are looked at: at each stage from the firmware to a found kernel.
guests_come_and_go()
{
    local delay
    bed_agent_start
    for delay in 0 0.1 0.3 0.7 1.5 2 2.5 3; do
        bed_create short
        sleep "$delay"
        bed_destroy short
    done
    if bed_agent_alive; then ok short-agent-lives; else not_ok short-agent-lives "it ended"; fi
    soon short-no-files no_domain_files
    soon short-no-ram-held no_ram_held
    soon short-not-listed not_listed
}

guest_ends_ready()
{
    bed_create guest
    at_last end-ready bed_has_state guest ready
    bed_destroy guest
    soon end-no-ram-held no_ram_held
    soon end-no-files no_domain_files
    bed_agent_stop TERM || not_ok end-status "status $?"
}

bed_start
# A hang is noticed after 3 s.
printf '%s\n' 'keepalive_interval = 1' 'keepalive_count = 2' > "$BED_DIR/config/memctxd.conf"
BED_AGENT_OPTIONS=(--config "$BED_DIR/config/memctxd.conf")
agent_after_guest
libvirtd_dies
libvirtd_hangs
guest_changes_meanwhile
agent_dies
agent_is_retracted
agent_stops
bed_destroy guest
guests_come_and_go
guest_ends_ready
finish
