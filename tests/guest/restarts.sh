#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The agent, libvirtd and guests come and go at any moment; the datum is the same, and nothing is left behind.
# shellcheck disable=SC2317 # functions called by bed_until
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

domain_files() { find "$BED_DIR/run/memctxd/domains" -type f 2> /dev/null; }
no_domain_files() { [ -z "$(domain_files)" ]; }
not_listed() { [ -z "$(bed_state_line short)" ]; }
no_datum() { ! bed_datum guest; }

# Descriptors of guest RAM, of whatever guest
ram_links()
{
    local fd
    for fd in "/proc/$BED_AGENT/fd/"*; do readlink "$fd" || true; done |
        grep -E 'memory-backend-memfd|/libvirt/qemu/ram/' || true
}
no_ram_held() { [ -z "$(ram_links)" ]; }

# within NAME SECONDS COMMAND...: ok when the command succeeds in time
within()
{
    local name=$1
    shift
    if bed_until "$@"; then ok "$name"; else not_ok "$name" "not after $1 s: ${*:2}"; fi
}

agent_after_guest()
{
    local faults
    bed_create guest
    bed_wait_up guest 60
    bed_agent_start
    within after-guest-ready 20 bed_has_state guest ready
    faults=$(bed_datum_faults "$(bed_datum guest)" "$(bed_truth guest)")
    is after-guest-truth "$faults" ""
}

libvirtd_dies()
{
    bed_libvirtd_kill
    sleep 1
    if bed_agent_alive; then ok libvirtd-gone-agent-lives; else not_ok libvirtd-gone-agent-lives "it ended"; fi
    bed_libvirtd_up
    within libvirtd-back-ready 20 bed_has_state guest ready
    is libvirtd-back-truth "$(bed_datum_faults "$(bed_datum guest)" "$(bed_truth guest)")" ""
}

agent_dies()
{
    local before
    before=$(bed_datum guest)
    bed_agent_stop KILL || true
    bed_agent_start
    within agent-killed-ready 20 bed_has_state guest ready
    is agent-killed-same-bytes "$(bed_datum guest)" "$before"
}

agent_stops()
{
    local status=0
    bed_agent_stop TERM || status=$?
    is agent-term-status "$status" 0
    within agent-term-withdraws 2 no_datum
    within agent-term-files 1 no_domain_files
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
    within short-no-files 3 no_domain_files
    within short-no-ram-held 3 no_ram_held
    within short-not-listed 3 not_listed
}

guest_ends_ready()
{
    bed_create guest
    within end-ready 60 bed_has_state guest ready
    bed_destroy guest
    within end-no-ram-held 2 no_ram_held
    within end-no-files 2 no_domain_files
    bed_agent_stop TERM || not_ok end-status "status $?"
}

bed_start
agent_after_guest
libvirtd_dies
agent_dies
agent_stops
bed_destroy guest
guests_come_and_go
guest_ends_ready
finish
