# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW reading through libmemctx beside pread, with a descriptor of RAM and through the agent

# reads WHAT BUILD DOMAIN RAM OFFSET WORK...
reads()
{
    local what=$1 build=$2 name who ms of_cpu
    shift 2
    bed_as_user env LD_LIBRARY_PATH="$BED_DIR/$build" "$BED_DIR/bin/reader" "$BED_DIR/run/memctxd" "$1" "$2" "$3" \
        "$(thirds)" "${@:4}" > "$BED_DIR/log/reads" || return 1
    while IFS=$'\t' read -r name who ms of_cpu; do
        [ "$who" != library ] || who=$build
        sample "$what, $name" ms "$who" "$ms"
        # What the agent uses is not in it.
        [ "$what" != file ] || sample "$what, $name" "ms of CPU" "$who" "$of_cpu"
    done < "$BED_DIR/log/reads"
}

# RAM that has a descriptor: a guest that does nothing, with a kernel and data that we made
read_file()
{
    local gpa small large m=$data_mib q=$((data_mib / 4)) status=0 work=()
    bed_create file boot=halt memory=$((256 + data_mib)) && bed_wait_halt file 60 || return 1
    { read -r _ gpa && read -r _ small && read -r _ large; } < <("$BED_DIR/bin/ram" "$(bed_ram_fd file)" "$data_mib")
    work=(
        "$m MiB by GPA, 1 MiB a call:gpa:$gpa:$((m << 20)):0x100000:inorder"
        "$q MiB by GPA, 4 KiB a call:gpa:$gpa:$((q << 20)):0x1000:random"
        "$q MiB by GVA, 4 KiB pages in order:gva:$small:$((q << 20)):0x1000:inorder"
        "$q MiB by GVA, 4 KiB pages at random:gva:$small:$((q << 20)):0x1000:random"
        "$q MiB by GVA, 2 MiB pages at random:gva:$large:$((q << 20)):0x1000:random"
    )
    reads file "$1" file "$(bed_ram_fd file)" 0 "${work[@]}" || status=1
    bed_destroy file
    return $status
}

# Where QEMU's process has a mapping of so many MiB: mapping_of PID MIB
mapping_of()
{
    local range
    while read -r range _; do
        [ $((0x${range#*-} - 0x${range%-*})) != $(($2 << 20)) ] || { echo "0x${range%-*}"; return; }
    done < "/proc/$1/maps"
    return 1
}

# RAM that has none: read by the agent, out of QEMU's memory
read_memory()
{
    local at base status=0 work=()
    bed_wait_state memory ready 60 || return 1
    at=$(mapping_of "$(bed_pid memory)" 512) || return 1
    base=$(bed_ctl show memory | bed_datum_attribute kernel base)
    work=(
        "64 MiB by GPA, 1 MiB a call:gpa:0x1000000:0x4000000:0x100000:inorder"
        "8 MiB by GPA, 4 KiB a call:gpa:0x1000000:0x800000:0x1000:random"
        "8 MiB by GVA, 4 KiB a call:gva:$base:0x800000:0x1000:random"
    )
    reads "through the agent" "$1" memory "/proc/$(bed_pid memory)/mem" "$at" "${work[@]}" || status=1
    return $status
}

one_read()
{
    local status=0
    printf '%s\n' 'revalidate_ms = 0' > "$BED_DIR/config/memctxd.conf"
    BED_AGENT_OPTIONS=(--config "$BED_DIR/config/memctxd.conf")
    agent_start
    BED_AGENT_OPTIONS=()
    read_file "$1" && read_memory "$1" || status=1
    agent_stop
    return $status
}

row_read()
{
    local status=0
    bed_create memory backing=anon memory=512
    bed_wait_up memory 120 && in_turns "$(thirds)" one_read || status=1
    bed_destroy memory
    return $status
}
