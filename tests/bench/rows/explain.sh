# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW dmesg, ps, stat, symbols and export beside a pread pass over as many bytes, whole processes

# bytes_read COMMAND...: how many it reads of files
bytes_read()
{
    strace -f -qq -e trace=pread64,read -o "$BED_DIR/log/calls" "$@" > /dev/null
    awk '{ if ($NF > 0) sum += $NF } END { printf "%d", sum }' "$BED_DIR/log/calls"
}

# beside WHAT COMMAND...: of the build that is measured; $before is run before each turn
beside()
{
    local what=$1 bytes turns_options=()
    shift
    [ -z "$before" ] || turns_options=(--before "$before")
    bytes=$(bytes_read "$BED_DIR/bin/memctx" --runtime-dir "$BED_DIR/run/memctxd" "$@") || return 1
    processes "$what, $((bytes >> 10)) KiB" "pass=$BED_DIR/bin/pass $ram $bytes" -- \
        "@/memctx --runtime-dir $BED_DIR/run/memctxd $*"
}

one_explain()
{
    local ram status=0 builds=("$1") before='' turns=$runs
    local -x XDG_CACHE_HOME=$shm/cache
    agent_start
    bed_wait_state explain ready 60 || { agent_stop; return 1; }
    ram=$(bed_ram_fd explain)
    mkdir -p "$XDG_CACHE_HOME"
    beside dmesg dmesg explain && beside ps ps explain && beside stat stat explain && beside lsmod lsmod explain &&
        before="rm -rf $XDG_CACHE_HOME/memctxd" && beside "symbols, first" symbols explain && before='' &&
        beside "symbols, kept" symbols explain && beside isf export explain --format isf || status=1
    agent_stop
    rm -rf "$XDG_CACHE_HOME"
    return $status
}

row_explain()
{
    local status=0
    bed_create explain memory="$ram_mib"
    bed_wait_up explain 120 && in_turns "$(thirds)" one_explain || status=1
    bed_destroy explain
    return $status
}
