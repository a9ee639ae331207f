# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# How things are measured: in turns, each sample a line of $samples; sourced by run.sh.

remark() { printf '#\t%s\t%s\n' "$1" "$2" >> "$samples"; }

# sample WHAT UNIT WHO VALUE: of the row that is measured. What a reference took while it was B's turn is left out, so
# that its rounds are those of A.
sample()
{
    case "$3$turn" in
        [AB]* | *A) printf '%s\t%s\t%s\t%s\t%s\n' "$row" "$1" "$2" "$3" "$4" >> "$samples" ;;
    esac
}

# use_build A|B: what the bed starts is that build's.
use_build()
{
    local file
    for file in "$BED_DIR/$1"/*; do ln -sf "../$1/${file##*/}" "$BED_DIR/bin/"; done
}

# in_turns ROUNDS COMMAND...: COMMAND BUILD for each build, again and again; 1 when one fails
in_turns()
{
    local rounds=$1 i turn
    shift
    for ((i = 0; i < rounds; i++)); do
        for turn in "${builds[@]}"; do
            use_build "$turn"
            "$@" "$turn" || return 1
        done
    done
}

# Prints NAME=COMMAND for each build: each_build COMMAND..., with @ for its directory
each_build()
{
    local build
    for build in "${builds[@]}"; do echo "$build=${*//@/$BED_DIR/$build}"; done
}

# processes WHAT REFERENCE=COMMAND... -- COMMAND...: whole processes of each build, beside those of the references, three
# times as many as rounds or $turns; $turns_options are for turns.py.
processes()
{
    local what=$1 references=() commands who ms of_cpu
    shift
    while [ "$1" != -- ]; do references+=("$1"); shift; done
    shift
    mapfile -t commands < <(each_build "$@")
    python3 "$here/turns.py" "${turns_options[@]}" "$((${turns:-runs * 3}))" "${commands[@]}" "${references[@]}" \
        > "$BED_DIR/log/turns" || return 1
    while IFS=$'\t' read -r who ms of_cpu; do
        sample "$what" ms "$who" "$ms"
        sample "$what" "ms of CPU" "$who" "$of_cpu"
    done < "$BED_DIR/log/turns"
}

# A third of the rounds, for what takes long
thirds() { echo $(((runs + 2) / 3)); }
minus() { awk -v a="$1" -v b="$2" -v by="${3:-1}" 'BEGIN { printf "%.3f", (a - b) / by }'; }
elapsed_ms() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }

# fill_holes FROM TO: the same RAM with each hole full of bytes of no meaning, the same ones in each run
fill_holes()
{
    cp --sparse=always "$1" "$2"
    python3 -c '
import os, random, sys
filler = random.Random(7).randbytes(1 << 20)
ram = os.open(sys.argv[1], os.O_RDWR)
at, size = 0, os.fstat(ram).st_size
while at < size:
    at = os.lseek(ram, at, os.SEEK_HOLE)
    try:
        end = os.lseek(ram, at, os.SEEK_DATA) if at < size else size
    except OSError:
        end = size
    while at < end:
        at += os.pwrite(ram, filler[:end - at], at)' "$2"
}
