#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Commands of memctx that read guest memory, in the sandbox in which they do so: all that they can be asked for is still
# done there, on guests served by tests/serve, and from outside it can be seen that they are in there.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
failures=0
dir=$(mktemp -d)
trap 'umount -q "$dir/mount" 2> /dev/null; rm -rf "$dir"' EXIT
# A program with sanitizers enters a sandbox without a filter, and says so.
filter=2
! grep -q '^#define INSTRUMENTED' "$build/config.h" || filter=0

fail()
{
    echo "$*" >&2
    failures=$((failures + 1))
}

# serve KIND: until stop
serve()
{
    local line
    rm -rf "$dir/agent"
    mkdir "$dir/agent"
    coproc SERVER { exec "$build/tests/serve" "$1" "$dir/agent"; }
    read -r line <&"${SERVER[0]}"
    [ "$line" = ready ] || fail "tests/serve $1 does not come up"
}

stop()
{
    local pid=$SERVER_PID
    eval "exec ${SERVER[1]}>&-"
    wait "$pid" 2> /dev/null
}

memctx() { "$build/memctx" --runtime-dir "$dir/agent" "$@"; }

# ends_well WHAT COMMAND...: with status 0, and something on standard output
ends_well()
{
    local what=$1 status=0
    shift
    "$@" > "$dir/out" 2> "$dir/err" || status=$?
    [ "$status" = 0 ] || fail "$what: status $status: $(< "$dir/err")"
    [ -s "$dir/out" ] || fail "$what: prints nothing"
}

# sandboxed WHAT PID
sandboxed()
{
    local said
    said=$(sed -n 's/^\(Seccomp\|CapEff\|NoNewPrivs\):\t//p' "/proc/$2/status" 2> /dev/null | xargs)
    [ "$said" = "0000000000000000 1 $filter" ] || fail "$1: CapEff, NoNewPrivs, Seccomp are $said"
}

formats() { memctx export web1 --format x 2>&1 | sed -n 's/.*there are: //p' | tr -d ,; }

# Formats that a guest has, through a domain and through a file; others are refused, but not by the kernel.
check_formats()
{
    local format status
    for format in $(formats); do
        memctx export web1 --format "$format" --ram "$dir/ram" > "$dir/out" 2>&1
        status=$?
        [ $status -le 1 ] || fail "$1: export --format $format: status $status"
        memctx probe --ram "$dir/ram" --low 128M --export "$format" > "$dir/out" 2>&1
        [ $? = $status ] || fail "$1: probe --export $format ends otherwise than export: $(< "$dir/out")"
    done
}

check_core()
{
    memctx core web1 -o "$dir/core" || fail "$1: core web1: status $?"
    memctx core --ram "$dir/ram" --low 128M -o "$dir/core2" || fail "$1: core --ram: status $?"
    cmp "$dir/core" "$dir/core2" || fail "$1: the cores of domain and file differ"
    [ "$(find "$dir" -name 'core*' | wc -l)" = 2 ] || fail "$1: core left something behind"
    # The child says why, and its parent takes the file away.
    memctx core --ram "$dir/nothing" -o "$dir/core" 2> "$dir/err"
    [ $? = 3 ] || fail "$1: core of RAM without a kernel: $(< "$dir/err")"
    [ "$(find "$dir" -name 'core*' | wc -l)" = 2 ] || fail "$1: core that failed left something behind"
}

# What a guest says of itself, of which Windows tells its processes only: in the sandbox, and nobody is killed.
check_explained()
{
    local from command status wanted
    for from in web1 "--ram $dir/ram --low 128M"; do
        for command in dmesg symbols lsmod stat ps; do
            # shellcheck disable=SC2086 # several words
            memctx $command $from > "$dir/out" 2> "$dir/err"
            status=$?
            case "$1-$command" in linux-* | *-ps) wanted=0 ;; *) wanted=1 ;; esac
            [ $status = $wanted ] || fail "$1: $command $from: status $status: $(< "$dir/err")"
            [ $wanted = 1 ] || [ -s "$dir/out" ] || fail "$1: $command $from: it prints nothing"
        done
    done
}

check_guest()
{
    local base
    serve "$1"
    # shellcheck disable=SC2016 # for the shell inside
    memctx exec web1 -- sh -c 'cat "/proc/self/fd/$MEMCTX_FD"' > "$dir/ram"
    # shellcheck disable=SC2016 # for the shell inside
    base=$(memctx exec web1 -- sh -c 'echo $MEMCTX_KERNEL_BASE')
    ends_well "$1: read" memctx read web1 "$base" 32
    ends_well "$1: read --json" memctx read web1 "$base" 32 --json
    ends_well "$1: read --physical" memctx read web1 0 4K --physical --raw
    ends_well "$1: probe" memctx probe --ram "$dir/ram" --low 128M
    ends_well "$1: probe --json" memctx probe --ram "$dir/ram" --low 128M --json
    [ "$1" = linux ] || ends_well "$1: probe --processes" memctx probe --ram "$dir/ram" --low 128M --processes
    check_formats "$1"
    check_core "$1"
    check_explained "$1"
    stop
}

# Waits in its sandbox, or has ended.
is_settled()
{
    local status
    status=$(cat "/proc/$1/status" 2> /dev/null)
    case $status in
        *State:?[RDTI]*) return 1 ;;
        *State:?S*) [[ $status == *NoNewPrivs:?1* ]] ;;
    esac
}

# looked_at COMMAND...: runs until it writes, to a pipe that is full, and is looked at there
looked_at()
{
    local pid i
    mkfifo "$dir/fifo"
    exec 9<> "$dir/fifo"
    head -c 65536 /dev/zero >&9
    "$build/memctx" --runtime-dir "$dir/agent" "$@" > "$dir/fifo" &
    pid=$!
    for ((i = 0; i < 6000; i++)); do
        ! is_settled $pid || break
        sleep 0.01
    done
    sandboxed "$*" $pid
    kill -KILL $pid 2> /dev/null
    wait $pid 2> /dev/null
    exec 9<&-
    rm "$dir/fifo"
}

may_mount() { [ -w /dev/fuse ] && grep -q '^#define HAVE_FUSE' "$build/config.h"; }

until_there()
{
    local i
    for ((i = 0; i < 600; i++)); do
        [ ! -e "$1" ] || return 0
        sleep 0.1
    done
    fail "$1 does not come"
}

check_mount()
{
    local pid
    mkdir -p "$dir/mount"
    "$build/memctx" --runtime-dir "$dir/agent" core web1 --mount "$dir/mount" &
    pid=$!
    until_there "$dir/mount/core"
    memctx core web1 -o "$dir/core"
    cmp "$dir/core" "$dir/mount/core" || fail "core: the mount is not what is written"
    sandboxed "core --mount" "$(pgrep -P $pid)"
    kill -INT $pid
    wait $pid || fail "core --mount ends with $?"
    [ ! -e "$dir/mount/core" ] || fail "core --mount leaves its mount behind"
}

truncate -s 1M "$dir/nothing"
for kind in linux windows windows32; do check_guest "$kind"; done
serve linux
looked_at read web1 0 64 --physical
looked_at export web1 --format vmcoreinfo
looked_at probe --ram "$dir/ram" --low 128M
looked_at probe --ram "$dir/ram" --low 128M --export json
if may_mount; then check_mount; else echo "no mount: no /dev/fuse, or built without libfuse3"; fi
stop
[ "$failures" = 0 ]
