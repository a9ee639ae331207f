#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# How long after the kernel's VMCOREINFO note is in RAM is the datum published? The median must be within 300 ms.
#
#   MEMCTX_LATENCY_BOOTS  number of boots (default 5)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

limit_ms=300

bed_start
BED_LOG_LEVEL=info bed_agent_start
results=()
for ((i = 1; i <= ${MEMCTX_LATENCY_BOOTS:-5}; i++)); do
    if bed_latency "latency-$i"; then
        results+=("$ms")
    else
        not_ok "latency-$i" "no note or no datum in 60 s"
    fi
done
if [ ${#results[@]} != 0 ]; then
    mapfile -t sorted < <(printf '%s\n' "${results[@]}" | sort -n)
    median=${sorted[${#sorted[@]} / 2]}
    diag "from the note in RAM to the datum, ms: ${results[*]}; median $median"
    if [ "$median" -le "$limit_ms" ]; then
        ok latency-median
    else
        not_ok latency-median "$median ms, should be at most $limit_ms ms"
    fi
fi
finish
