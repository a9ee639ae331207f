#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Everything a change must pass: install, build, unit tests (plain, sanitizers, valgrind, clang), real guests, bench.
#
#   tests/run-all.sh     as root on Debian; the last line is "N passed, N failed, N skipped"
#
#   MEMCTX_TEST_BUILD  where to build (default: build-tests in the source); its subdirectories are made anew
#   MEMCTX_FUZZ_SECONDS  for how long each fuzz target runs (default: 5)
#   MEMCTX_TEST_LOGS   where the logs of the steps go (default: logs in there)
#   MEMCTX_TEST_PACKAGES  1: Debian packages are built, installed and used, too (tests/packages.sh): ten minutes more
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
build=${MEMCTX_TEST_BUILD:-$top/build-tests}
logs=${MEMCTX_TEST_LOGS:-$build/logs}
source=$top
passed=0 failed=0 skipped=0
# What failed, a line each: repeated at the end, since whoever keeps the output may have kept its end only
faults=()

# shellcheck source=tests/bed/source.sh
. "$top/tests/bed/source.sh"

# step NAME COMMAND...: its output goes to a log, shown when it fails; a failure counts as one test.
step()
{
    local name=$1 start=$SECONDS log="$logs/$1.log"
    shift
    if "$@" > "$log" 2>&1 < /dev/null; then
        echo "ok $name ($((SECONDS - start)) s)"
        return 0
    fi
    echo "not ok $name ($((SECONDS - start)) s), see $log:"
    tail -n 40 "$log" | sed 's/^/    /'
    return 1
}

# fail WHAT: count it as one test.
fail() { failed=$((failed + 1)) faults+=("$1"); }

# configure_and_make NAME [VARIABLE=VALUE | OPTION]...
configure_and_make()
{
    local dir="$build/$1"
    shift
    rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" && "$source/configure" "$@" && make -j"$(nproc)"
}

# The totals automake puts on top of test-suite.log: total NAME DIRECTORY
total() { sed -n "s/^# $1: *//p" "$2/test-suite.log" 2> /dev/null | head -n 1; }

# What each test said that failed: tell_units NAME DIRECTORY
tell_units()
{
    local result test
    while read -r result; do
        test=${result%.trs}
        faults+=("$1: ${test#"$2"/}")
        echo "== $1: ${test#"$2"/}:"
        tail -n 60 "$test.log"
    done < <(grep -rlE --include='*.trs' '^:global-test-result: (FAIL|XPASS|ERROR)' "$2/tests")
}

# units NAME TARGET DIRECTORY: run that make target there and add what it counted.
units()
{
    local dir="$build/$3" status=0 bad
    rm -f "$dir/test-suite.log"
    step "$1" make -C "$dir" -k -j"$(nproc)" "$2" || status=1
    [ "$status" = 0 ] || tell_units "$1" "$dir"
    bad=$(($(total FAIL "$dir") + $(total XPASS "$dir") + $(total ERROR "$dir")))
    # It can also fail before or beside the tests.
    [ "$status" = 0 ] || [ "$bad" != 0 ] || { bad=1 faults+=("$1: make $2"); }
    [ -e "$dir/test-suite.log" ] || [ "$bad" != 0 ] || { echo "not ok $1: it left no test-suite.log"; bad=1 faults+=("$1"); }
    passed=$((passed + $(total PASS "$dir") + $(total XFAIL "$dir")))
    failed=$((failed + bad))
    skipped=$((skipped + $(total SKIP "$dir")))
}

# counted NAME COMMAND...: shown while it runs; its last line, "N passed, N failed, N skipped", is added to ours.
counted()
{
    local name=$1 sums line
    shift
    "$@" 2>&1 < /dev/null | tee "$logs/$name.log" | sed '/^[0-9]* passed, [0-9]* failed, [0-9]* skipped$/d'
    sums=$(tail -n 1 "$logs/$name.log" | tr -dc '0-9 ')
    read -ra sums <<< "$sums"
    [ ${#sums[@]} = 3 ] || { echo "not ok $name: no totals"; fail "$name"; return; }
    while read -r line; do faults+=("$name: $line"); done < <(grep '^not ok ' "$logs/$name.log")
    passed=$((passed + sums[0]))
    failed=$((failed + sums[1]))
    skipped=$((skipped + sums[2]))
}

guests() { MEMCTX_BUILDDIR="$build/plain" counted guests bash "$top/tests/guest/run.sh"; }

packages()
{
    if [ "${MEMCTX_TEST_PACKAGES:-0}" = 0 ]; then
        echo "skip packages: they take ten minutes; MEMCTX_TEST_PACKAGES=1 has them built and used"
        skipped=$((skipped + 1))
    else
        counted packages bash "$top/tests/packages.sh"
    fi
}

lint() { if step lint make -C "$build/plain" lint; then passed=$((passed + 1)); else fail lint; fi; }

# Each target for some seconds, with sanitizers and the limits of work; a finding fails. Which part of each room the
# corpus and what was found reach is in the log.
fuzz()
{
    export MEMCTX_BUILDDIR="$build/plain" FUZZ_SECONDS=${MEMCTX_FUZZ_SECONDS:-5}
    if step fuzz bash "$top/tests/fuzz.sh" --fuzz --jobs "$(nproc)" &&
        step fuzz-cover bash "$top/tests/fuzz.sh" --cover --jobs "$(nproc)"; then
        passed=$((passed + 1))
        grep '%' "$logs/fuzz-cover.log"
    else
        fail fuzz
    fi
}

# Its shortest form, also of two builds: not for the numbers, but to see that each row can be measured.
bench()
{
    if MEMCTX_BUILDDIR="$build/plain" step bench bash "$top/tests/bench/run.sh" --short --against "$build/plain" \
        --json "$logs/bench.json"; then
        passed=$((passed + 1))
    else
        fail bench
    fi
}

main()
{
    mkdir -p "$logs"
    step install bash "$top/tests/bed/install.sh" || { fail install; return; }
    # A source tree that somebody has built in cannot be configured elsewhere.
    if [ -e "$top/config.status" ]; then
        source="$build/source"
        step copy copy_source "$top" "$source" || { fail copy; return; }
    fi
    step autoreconf autoreconf -fi "$source" || { fail autoreconf; return; }
    # Where variables that nobody has set are zeroed, valgrind finds none. Elsewhere they are, as in what is installed.
    if step build configure_and_make plain --disable-auto-init; then
        units check check plain
        units check-valgrind check-valgrind plain
        lint
    else
        fail build
    fi
    if step build-sanitizers configure_and_make sanitizers --enable-asan --enable-ubsan; then
        units check-sanitizers check sanitizers
    else
        fail build-sanitizers
    fi
    { step build-clang configure_and_make clang CC=clang --enable-werror &&
        step build-clang-tests make -C "$build/clang" -j"$(nproc)" check TESTS=; } || fail build-clang
    if [ -x "$build/plain/memctxd" ]; then fuzz; guests; packages; bench; else echo "not ok guests: no memctxd was built"; fail guests; fi
}

main
[ ${#faults[@]} = 0 ] || printf 'failed: %s\n' "${faults[@]}"
echo "all of it took $SECONDS s"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
