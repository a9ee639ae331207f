#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The kernel's VMCOREINFO note in RAM is followed by the datum. How closely is told, and measured by the row "latency" of
# tests/bench/run.sh; nothing fails here because a machine is slow.
# ALONE: it tells a time that people compare.
#
#   MEMCTX_LATENCY_BOOTS  number of boots (default 5)
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

bed_start
BED_LOG_LEVEL=info bed_agent_start
for ((i = 1; i <= ${MEMCTX_LATENCY_BOOTS:-5}; i++)); do
    if bed_latency "latency-$i"; then
        diag "from the note in RAM to the datum: $ms ms"
        ok "latency-$i"
    else
        not_ok "latency-$i" "no note or no datum in 60 s"
    fi
done
finish
