#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# memctx in the hands of a user: many domains, a narrow terminal, an agent that is restarted, pipes that nobody reads, a
# full disk, Ctrl-C. The domains are those of libvirt's test driver, with an agent in stub mode.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
failures=0
dir=$(mktemp -d)
agent=
trap 'stop; rm -rf "$dir"' EXIT

fail()
{
    echo "$*" >&2
    failures=$((failures + 1))
}

# wants WHAT TEXT REGEX, is WHAT TEXT WANTED
wants() { grep -qE -- "$3" <<< "$2" || fail "$1: '$2' does not match '$3'"; }
is() { [ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"; }

memctx() { "$build/memctx" --runtime-dir "$dir/agent" "$@"; }

# ends_with STATUS COMMAND...: what it prints is in $dir/out and $dir/err
ends_with()
{
    local wanted=$1 status=0
    shift
    "$@" > "$dir/out" 2> "$dir/err" || status=$?
    [ "$status" = "$wanted" ] || fail "$*: ended with $status, not $wanted: $(< "$dir/err")"
}

# What was said on standard error. A build with sanitizers says that its sandbox has no filter.
said() { grep -v '^warning: with sanitizers' "$dir/err"; }

# awaits COMMAND...: for a minute at most
awaits()
{
    local i
    for ((i = 0; i < 600; i++)); do
        ! "$@" || return 0
        sleep 0.1
    done
    fail "not in a minute: $*"
    return 1
}

domain()
{
    echo "<domain type='test'><name>$1</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os></domain>"
}

# serve COUNT: so many domains, one of them with a long name
serve()
{
    local i
    {
        echo "<node>"
        domain a-domain-whose-name-is-long
        for ((i = 1; i < $1; i++)); do domain "guest-$i"; done
        echo "</node>"
    } > "$dir/node.xml"
    MEMCTX_PROBER=$build/memctx-prober "$build/memctxd" -c "test://$dir/node.xml" --stub --runtime-dir "$dir/agent" \
        >> "$dir/log" 2>&1 &
    agent=$!
    awaits are_ready "$1"
}

are_ready() { [ "$(memctx list --state ready --json 2> /dev/null | grep -o '"uuid"' | wc -l)" = "$1" ]; }

stop()
{
    [ -z "$agent" ] || kill "$agent" 2> /dev/null
    [ -z "$agent" ] || wait "$agent" 2> /dev/null
    agent=
}

check_list()
{
    is list-summary "$(memctx list | tail -n 1)" "3 domains: 3 ready"
    is list-state "$(memctx list --state silent,unsupported | tail -n +3)" "0 of 3 domains"
    is list-sort "$(memctx list --sort name | awk '/guest|long/ { print $2 }' | paste -sd ' ')" \
        "a-domain-whose-name-is-long guest-1 guest-2"
    # The column is as wide as the longest name.
    is list-columns "$(memctx list | awk '/ready / { print index($0, "ready") }' | sort -u | wc -l)" 1
    ends_with 2 memctx list --state up
    wants list-no-state "$(< "$dir/err")" "no state 'up'; there are: .*unsupported"
    ends_with 2 memctx list --sort size
    ends_with 2 memctx list --watch
    wants watch-no-terminal "$(< "$dir/err")" 'wait --follow'
}

# On a terminal of 60 columns: no line of it is longer, and Ctrl-C ends it as it ends others.
check_watch()
{
    local status=0
    "$top/tests/type.py" 60 domains: '\p\p\x03' "$build/memctx" --runtime-dir "$dir/agent" list --watch > "$dir/screen" || status=$?
    is watch-status "$status" 130
    wants watch "$(< "$dir/screen")" '3 domains: 3 ready'
    is watch-width "$(sed 's/\x1b\[[0-9]*[A-Za-z]//g' "$dir/screen" | tr '\r' '\n' | awk 'length > 60')" ""
}

rows() { [ "$(grep -c ready "$dir/follow")" = "$1" ]; }

# What follows goes on when the agent is there again.
check_follow()
{
    local follower status=0
    : > "$dir/follow"
    "$build/memctx" --runtime-dir "$dir/agent" wait --follow > "$dir/follow" 2> "$dir/err" &
    follower=$!
    awaits rows 3
    stop
    awaits grep -q 'waiting for it' "$dir/err"
    : > "$dir/follow"
    serve 3
    awaits rows 3
    kill -INT "$follower" 2> /dev/null
    kill "$follower" 2> /dev/null
    wait "$follower" || status=$?
    [ "$status" -gt 128 ] || fail "wait --follow ended by itself with $status: $(< "$dir/err")"
    is follow-said "$(grep -c 'waiting for it' "$dir/err")" 1
}

check_core()
{
    local status
    ends_with 0 memctx core guest-1 -o "$dir/core"
    memctx core guest-1 -o - > "$dir/stream" || fail "core -o -: ended with $?"
    cmp "$dir/core" "$dir/stream" || fail "core -o - is another core"
    memctx core guest-1 -o - 2> "$dir/err" | head -c 10 > /dev/null
    status=${PIPESTATUS[0]}
    is core-closed-pipe "$status: $(said)" "141: "
    status=0
    memctx core guest-1 -o - > /dev/full 2> "$dir/err" || status=$?
    is core-full "$status: $(said)" "1: error: cannot write to standard output: No space left on device"
    ends_with 1 "$top/tests/type.py" 60 '' '' "$build/memctx" --runtime-dir "$dir/agent" core guest-1 -o -
    wants core-terminal "$(< "$dir/out")" 'not for a terminal'
}

# Once its first bytes are there it writes, and stands still when the pipe is full. A shell would have what runs beside
# it ignore SIGINT.
check_interrupt()
{
    local writer pipe status=0
    mkfifo "$dir/fifo"
    python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
        "$build/memctx" --runtime-dir "$dir/agent" core guest-1 -o - > "$dir/fifo" 2> "$dir/err" &
    writer=$!
    exec {pipe}< "$dir/fifo"
    is core-begins "$(head -c 4 <&"$pipe" | tail -c 3)" ELF
    kill -INT "$writer"
    wait "$writer" || status=$?
    exec {pipe}<&-
    is core-interrupted "$status: $(said)" "130: "
}

check_check()
{
    ends_with 1 "$build/memctx" -c "test://$dir/node.xml" check
    is check-all "$(tail -n 1 "$dir/out")" "3 domains checked, 0 of them off: 3 failed"
    ends_with 1 "$build/memctx" -c "test://$dir/node.xml" check --json
    is check-json "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)))' < "$dir/out")" 3
    echo "<domain type='kvm'><name>new</name><memory unit='GiB'>3</memory><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>" \
        > "$dir/draft.xml"
    ends_with 0 "$build/memctx" check --xml "$dir/draft.xml"
    is check-draft "$(tail -n 1 "$dir/out")" \
        "This domain is off. As far as its XML tells, memctxd can serve it once it runs."
    ends_with 0 "$build/memctx" check --xml - < "$dir/draft.xml"
    ends_with 1 "$build/memctx" check --xml "$dir/node.xml"
    wants check-no-domain "$(< "$dir/out")" 'root element is <node>'
    ends_with 1 "$build/memctx" check --xml "$dir/nowhere.xml"
    ends_with 2 "$build/memctx" check one --xml "$dir/draft.xml"
    wants layout-draft "$("$build/memctx" layout --xml - < "$dir/draft.xml")" '^low 0x80000000$'
}

# A file that begins like one that memctx reads, and goes on as anything.
check_damaged()
{
    local mark
    for mark in 'KDUMP   \006\000\000\000Linux' 'EMiL\001\000\000\000' '\177ELF\002\001\001' PAGEDU64 PAGEDUMP makedumpfile; do
        # shellcheck disable=SC2059 # the marks have escapes
        { printf "$mark"; yes damaged | head -c 1M; } > "$dir/damaged"
        # Of a kdump that it refuses libkdumpfile has memory left that it cannot free.
        ASAN_OPTIONS=detect_leaks=0 ends_with 1 memctx probe --ram "$dir/damaged"
        wants "damaged $mark" "$(< "$dir/err")" "^error: $dir/damaged: .*[a-z]+ [a-z]+"
    done
}

# Each step of a search goes to standard error, and what a file holds is quoted there.
check_verbose()
{
    memctx core guest-1 -o "$dir/core"
    ends_with 0 memctx probe --ram "$dir/core" --verbose
    wants verbose "$(< "$dir/err")" '^search: linux: candidate at 0x[0-9a-f]+ is a kernel: '
    wants verbose-end "$(< "$dir/err")" '^search: [0-9]+ MiB of data looked at: a kernel was found$'
    head -c 1M /dev/zero > "$dir/zero"
    ends_with 3 memctx -v probe --ram "$dir/zero"
    wants verbose-none "$(< "$dir/err")" '^search: 1 MiB of data looked at: linux: no '
    ends_with 0 memctx probe --ram "$dir/core"
    is quiet "$(said)" ""
}

# An agent whose libvirt is not there says so to everybody who asks, and its directory may be closed.
check_away()
{
    mkdir "$dir/away"
    "$build/memctxd" -c "qemu+unix:///session?socket=$dir/nowhere" --runtime-dir "$dir/away" >> "$dir/log" 2>&1 &
    agent=$!
    awaits test -S "$dir/away/control.sock"
    ends_with 1 "$build/memctx" --runtime-dir "$dir/away" list
    wants away-list "$(< "$dir/err")" 'not connected to libvirt'
    ends_with 4 "$build/memctx" --runtime-dir "$dir/away" wait --follow --timeout 1
    wants away-follow "$(< "$dir/err")" '^warning: .*not connected to libvirt'
    ends_with 1 "$build/memctx" -c "qemu+unix:///session?socket=$dir/nowhere" check
    wants away-check "$(< "$dir/err")" 'cannot connect to libvirt'
    stop
    ends_with 1 "$build/memctx" --runtime-dir "$dir/node.xml/x" list
    wants away-directory "$(< "$dir/err")" 'cannot enter .*: Not a directory'
}

serve 3
check_list
check_watch
check_follow
check_core
check_interrupt
check_check
check_damaged
check_verbose
stop
check_away
serve 1000
is many "$(memctx list | tail -n 1)" "1000 domains: 1000 ready"
[ "$failures" = 0 ]
