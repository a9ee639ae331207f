# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW memctx probe beside a bare floor in C and one pread pass, whole processes

row_probe()
{
    local status=0 state
    bed_create probe memory=$ram_mib
    bed_wait_up probe 120 || status=1
    bed_take probe "$shm/fresh"
    bed_destroy probe
    [ $status = 0 ] || return 1
    fill_holes "$shm/fresh" "$shm/touched"
    for state in fresh touched; do
        processes "$ram_mib MiB, $state" "floor=$BED_DIR/bin/floor $shm/$state" \
            "pass=$BED_DIR/bin/pass $shm/$state" -- @/memctx probe --ram "$shm/$state" || return 1
    done
    rm "$shm"/*
}
