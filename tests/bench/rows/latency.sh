# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW from a Linux guest's VMCOREINFO note in RAM, as a poller sees it, to the datum in the metadata

one_latency()
{
    local status=0
    agent_start
    bed_latency latency && sample "note to datum" ms "$1" "$ms" || status=1
    agent_stop
    return $status
}

row_latency() { in_turns "$runs" one_latency; }
