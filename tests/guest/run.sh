#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Run the guest tests, all or those named, and sum up; the last line is "N passed, N failed, N skipped".
#
#   tests/guest/run.sh [-j LANES] [NAME...]     boots, latency, ...; MEMCTX_BUILDDIR says where the programs are
#
#   MEMCTX_GUEST_JOBS  how many tests run at a time (default: one more than there are processors, at most 4)
#
# Each test has a bed of its own, so most run side by side, in lanes; what one prints is shown when it ends. One whose
# script has a line "# ALONE: why" wants the machine for itself: it runs when all others have ended.
set -eu -o pipefail
cd "$(dirname "$0")"

# Those with a line "# LONG" in their script come first, so that the lanes end together.
all_tests()
{
    grep -l '^# LONG$' -- *.sh
    grep -L '^# LONG$' -- *.sh
}
mapfile -t all < <(all_tests | grep -vx run.sh)
passed=0 failed=0 skipped=0

usage() { sed -n '5,12s/^# \{0,1\}//p' "$0"; }

# A test waits for about half of its time: for a clock, a guest that is to do nothing, or what takes turns.
jobs=${MEMCTX_GUEST_JOBS:-$(($(nproc) < 3 ? $(nproc) + 1 : 4))}
while getopts j:h option; do
    case "$option" in
        j) jobs=$OPTARG ;;
        h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[[ $jobs =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }

is_alone() { grep -q '^# ALONE: ' "$1.sh"; }
count() { grep -c "$1" "$log" || true; }

# A script that fails without having said what counts as one failure: sum_up NAME LOG STATUS SECONDS
sum_up()
{
    local log=$2 bad
    bad=$(count '^not ok ')
    [ "$3" = 0 ] || [ "$bad" != 0 ] || { echo "not ok $1: ended with status $3"; bad=1; }
    passed=$((passed + $(count '^ok ')))
    failed=$((failed + bad))
    skipped=$((skipped + $(count '^skip ')))
    echo "== $1: $4 s"
}

# One that has no other beside it is shown while it runs.
run_alone()
{
    local status=0 start=$SECONDS
    echo "== $1"
    bash "./$1.sh" 2>&1 < /dev/null | tee "$logs/alone" || status=$?
    sum_up "$1" "$logs/alone" "$status" $((SECONDS - start))
}

# ---- lanes ----------------------------------------------------------------------------------------------

# Of each process: its test, where that writes, and when it began
declare -A running=() log_of=() started=()
begun=0

start()
{
    local log="$logs/$((++begun))"
    bash "./$1.sh" > "$log" 2>&1 < /dev/null &
    running[$!]=$1 log_of[$!]=$log started[$!]=$SECONDS
}

# Wait for any one, and show it.
reap()
{
    local pid status=0 name
    wait -n -p pid "${!running[@]}" || status=$?
    name=${running[$pid]}
    unset "running[$pid]"
    echo "== $name"
    cat "${log_of[$pid]}"
    sum_up "$name" "${log_of[$pid]}" "$status" $((SECONDS - started[$pid]))
}

side_by_side()
{
    local name
    for name in "$@"; do
        [ ${#running[@]} -lt "$jobs" ] || reap
        start "$name"
    done
    while [ ${#running[@]} != 0 ]; do reap; done
}

# Whoever ends this ends the beds: each takes its own away, and is waited for.
end()
{
    local status=$?
    trap '' HUP INT TERM
    [ ${#running[@]} = 0 ] || kill "${!running[@]}" 2> /dev/null || true
    wait
    rm -rf "$logs"
    exit "$status"
}

logs=$(mktemp -d)
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

names=("${@:-${all[@]}}")
names=("${names[@]%.sh}")
alone=() beside=()
for name in "${names[@]}"; do
    if [ "$jobs" = 1 ] || [ ${#names[@]} = 1 ] || is_alone "$name"; then alone+=("$name"); else beside+=("$name"); fi
done
side_by_side "${beside[@]}"
for name in "${alone[@]}"; do run_alone "$name"; done
echo "== all: $SECONDS s"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
