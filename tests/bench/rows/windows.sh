# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW memctx probe for a Windows guest, and for nothing in RAM that was all touched

row_windows()
{
    local turns_options=()
    truncate -s 4G "$shm/sparse"
    "$BED_DIR/bin/winram" "$shm/sparse" 0xc0000000 build=22621 processes=40 ready > /dev/null
    processes "low stub in sparse RAM" true=true -- @/memctx probe --ram "$shm/sparse" --low 3G || return 1
    truncate -s "${ram_mib}M" "$shm/none"
    fill_holes "$shm/none" "$shm/nothing"
    turns_options=(--status 3)
    processes "$ram_mib MiB, touched, nothing in it" "pass=$BED_DIR/bin/pass $shm/nothing" -- \
        @/memctx probe --ram "$shm/nothing" || return 1
    rm "$shm"/*
}
