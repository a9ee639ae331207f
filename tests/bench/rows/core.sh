# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW memctx core beside cp --sparse=always, whole processes

one_core()
{
    local ram status=0 turns=3 builds=("$1") turns_options=(--before "rm -f $shm/core")
    agent_start
    bed_wait_state core ready 60 || { agent_stop; return 1; }
    ram=$(bed_ram_fd core)
    processes "$ram_mib MiB guest" "cp=cp --sparse=always $ram $shm/core" -- \
        "@/memctx --runtime-dir $BED_DIR/run/memctxd core core -o $shm/core" || status=1
    agent_stop
    return $status
}

row_core()
{
    local status=0
    bed_create core memory=$ram_mib
    bed_wait_up core 120 && in_turns "$(thirds)" one_core || status=1
    bed_destroy core
    rm -f "$shm"/*
    return $status
}
