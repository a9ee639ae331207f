# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW from the event that a domain runs to the first read of its RAM

one_start()
{
    local said="$BED_DIR/log/firstread" status=0
    : > "$said"
    agent_start
    bed_spawn "$said" "$BED_DIR/bin/firstread" "$BED_URI" start "$BED_DIR/run/libvirt/qemu/run/start.pid" 20
    bed_until 10 grep -q listening "$said" || return 1
    bed_create start boot=halt memory=256
    wait "$BED_SPAWNED" && sample "event to first read" ms "$1" "$(sed -n 's/^READ //p' "$said")" || status=1
    bed_destroy start
    agent_stop
    return $status
}

row_start() { in_turns "$runs" one_start; }
