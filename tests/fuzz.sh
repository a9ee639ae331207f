#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Replays the corpus of every fuzz target, or runs libFuzzer on them; see usage().
set -eu

usage()
{
    cat <<'EOF'
usage: tests/fuzz.sh [--fuzz | --cover] [--jobs N] [TARGET...]
  (none)    replay the corpus of each target, as make check does
  --fuzz    build the targets with libFuzzer and run each for FUZZ_SECONDS (60);
            new inputs and findings are in fuzz/ of the build directory, the
            number of executions of each run in fuzz/totals
  --cover   which part of src/ is reached by the corpus and by what fuzzing found
  --jobs N  so many compilers, and so many targets, at a time (1)
EOF
}

here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "${MEMCTX_SRCDIR:-$here/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-.}" && pwd)
out=$build/fuzz

fail()
{
    echo "fuzz.sh: $*" >&2
    exit 2
}

all_targets()
{
    for file in "$src"/tests/fuzz/fuzz_*.c; do
        name=${file##*/fuzz_}
        echo "${name%.c}"
    done
}

# The build for $1, fuzz or cover, is in a directory of its own.
compile()
{
    mkdir -p "$out/$1"
    # shellcheck disable=SC2086
    make -s -C "$out/$1" -f "$src/tests/fuzz/build.mk" -j "$jobs" SRC="$src" FOR="$1" $targets
}

replay()
{
    for target in $targets; do
        "$build/run" "$build/tests/fuzz/fuzz_$target" "$src/tests/fuzz/corpus/$target"
    done
}

# New inputs are kept outside the source tree, so that they are looked at
# before they become part of the corpus.
fuzz_one()
{
    found=$out/corpus/$1
    log=$out/$1.log
    mkdir -p "$found"
    status=0
    "$out/fuzz/$1" -max_total_time="${FUZZ_SECONDS:-60}" \
        -len_control=0 -print_final_stats=1 -artifact_prefix="$out/$1-" \
        "$found" "$src/tests/fuzz/corpus/$1" > "$log" 2>&1 || status=$?
    units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$1 ${units:-0} $([ "$status" = 0 ] && echo good || echo FINDING)" | tee -a "$out/totals"
    [ "$status" = 0 ] || tail -n 40 "$log" >&2
    return "$status"
}

fuzz()
{
    compile fuzz
    # shellcheck disable=SC2086
    printf '%s\n' $targets | MEMCTX_SRCDIR=$src MEMCTX_BUILDDIR=$build xargs -P "$jobs" -n 1 "$here/fuzz.sh" --one
}

# A line for each room of src/: lines, those that are reached, in percent.
rooms()
{
    awk '/\.[ch] / { split($1, path, "/"); room = path[1]; lines[room] += $5; missed[room] += $6 }
         END { for (room in lines) if (lines[room] > 0)
                   printf "%-8s %6d %6d %5.1f %%\n", room, lines[room], lines[room] - missed[room],
                       100 * (lines[room] - missed[room]) / lines[room] }' "$1" | sort
}

cover()
{
    compile cover
    for target in $targets; do
        mkdir -p "$out/corpus/$target"
        LLVM_PROFILE_FILE=$out/cover/$target.profraw "$out/cover/$target" \
            "$src/tests/fuzz/corpus/$target" "$out/corpus/$target"
        set -- "$@" -object "$out/cover/$target"
        profiles="${profiles-} $out/cover/$target.profraw"
    done
    shift
    # shellcheck disable=SC2086
    llvm-profdata merge -o "$out/cover/all.profdata" $profiles
    llvm-cov report -instr-profile="$out/cover/all.profdata" -ignore-filename-regex='.*/tests/.*' \
        -show-region-summary=false "$@" > "$out/cover/files"
    llvm-cov show -format=html -output-dir="$out/cover/html" -instr-profile="$out/cover/all.profdata" \
        -ignore-filename-regex='.*/tests/.*' "$@"
    rooms "$out/cover/files"
    echo "$out/cover/files has each file, $out/cover/html each line"
}

mode=replay
jobs=1
while [ $# -gt 0 ]; do
    case $1 in
    --fuzz | --cover) mode=${1#--} ;;
    --one) mode=fuzz_one ;;
    --jobs) [ $# -gt 1 ] || fail "--jobs takes a number"; jobs=$2; shift ;;
    --help) usage; exit 0 ;;
    -*) fail "unknown option $1; --help tells which there are" ;;
    *) break ;;
    esac
    shift
done
targets=${*:-$(all_targets)}
case $mode in
fuzz_one) fuzz_one "$targets" ;;
*) "$mode" ;;
esac
