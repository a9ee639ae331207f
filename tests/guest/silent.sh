#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A guest that died is served, not dropped: its domain is silent, with the datum of its last kernel, until it is reset or
# another kernel runs. One that is merely idle, suspended, stopped or starved is none of this.
#
#   MEMCTX_IDLE_S  seconds to watch what is not dead (default 20)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

watch_s=${MEMCTX_IDLE_S:-20}

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
has_told() { [ "$(told "$1")" -ge 1 ]; }
has_no_datum() { ! bed_datum "$1" > /dev/null 2>&1; }
is_panicked() { grep -q 'end Kernel panic' "$(bed_console "$1")" 2> /dev/null; }
# Times that the domain's public state changed, as the log has it.
changes() { grep -c "name=$1 .*->" "$(bed_agent_log)" || true; }

# ready NAME [KEY=VALUE...]: a domain whose kernel is published and up
ready()
{
    local name=$1
    bed_create "$@"
    bed_wait_state "$name" ready 60 && bed_wait_up "$name" 60 && return
    not_ok "$name-ready" "$(bed_state_line "$name")"
    return 1
}

# dies NAME SECONDS: what the agent makes of it, so long after its death at most
dies()
{
    local name=$1
    bed_until 60 is_panicked "$name" || { not_ok "$name-panic" "the guest does not panic"; return 1; }
    if bed_wait_state "$name" silent "$2"; then ok "$name-silent"; else not_ok "$name-silent" "$(bed_state_line "$name")"; fi
    is "$name-generation" "$(bed_datum "$name" | bed_datum_attribute memctx generation)" 1
    sleep "$watch_s"
    is "$name-stays" "$(bed_state "$name")" silent
    is "$name-hook" "$(told "$name silent 1")" 1
}

panics()
{
    ready dead append=panic=0 vcpus="${1:-1}" || return
    bed_tell dead panic
    dies dead 4 || return
    bed_virsh reset dead > /dev/null
    if bed_until 2 has_no_datum dead; then ok dead-reset; else not_ok dead-reset "$(bed_datum dead)"; fi
    bed_wait_state dead ready 60 || not_ok dead-again "$(bed_state_line dead)"
    is dead-next "$(bed_datum dead | bed_datum_attribute memctx generation)" 2
    bed_destroy dead
}

bed_start
calls="$BED_DIR/log/hooks"
install_hook
bed_agent_start
panics
finish
