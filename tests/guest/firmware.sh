#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A guest that never boots a system: waiting is a normal state, said once, and nearly free.
set -eu
# shellcheck source=tests/bed/bed.sh
. "$(dirname "$0")/../bed/bed.sh"

# Of the agent's log lines that name the domain, at the default level, exactly one must match.
waiting_line='waiting'
max_permille=20
watch_s=12

bed_start
BED_LOG_LEVEL=info bed_agent_start
bed_create firmware boot=firmware memory=2048
uuid=$(bed_uuid firmware)

if bed_wait_state firmware waiting 60; then
    ok firmware-waiting
else
    not_ok firmware-waiting "not waiting but: $(bed_state_line firmware)"
fi

# The firmware's own work and the first tries are over after this.
sleep 2
used=$(bed_permille "$watch_s")
diag "the agent took $used permille of a core"
if [ "$used" -le $max_permille ]; then ok firmware-cpu; else not_ok firmware-cpu "$used permille of a core"; fi

status=0
bed_ctl wait firmware --timeout 3 > /dev/null 2>&1 || status=$?
is firmware-wait-times-out "$status" 4
status=0
bed_ctl show firmware > /dev/null 2>&1 || status=$?
is firmware-show-has-nothing "$status" 3
if bed_datum firmware > /dev/null 2>&1; then
    not_ok firmware-no-datum "there is metadata"
else
    ok firmware-no-datum
fi
is firmware-one-line "$(grep -F "$uuid" "$(bed_agent_log)" | grep -cE "$waiting_line")" 1

bed_destroy firmware
finish
