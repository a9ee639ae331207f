#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What programs say of a domain whose kernel does not run: each command of memctx works and warns once, and what stands
# in examples/ looks whether the kernel runs. The guest is served by tests/serve.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
failures=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
stands="^warning: domain 'web1' does not run: its kernel has stood still since 20[-0-9]{8}T[:0-9]{8}Z \(it panicked\)"

fail()
{
    echo "$*" >&2
    failures=$((failures + 1))
}

# wants WHAT TEXT REGEX
wants() { grep -qE -- "$3" <<< "$2" || fail "$1: '$2' does not match '$3'"; }

memctx() { "$build/memctx" --runtime-dir "$dir/agent" "$@"; }

# A build with sanitizers says that its sandbox has no filter.
said() { grep -v '^warning: with sanitizers' "$dir/err"; }

# becomes STATE: the domain, from now on
becomes()
{
    local line
    printf '%s' "${1:0:1}" >&"${SERVER[1]}"
    read -r -t 60 line <&"${SERVER[0]}"
    [ "$line" = "$1" ] || fail "tests/serve does not make the domain $1: $line"
}

# ends_with STATUS COMMAND...: what it prints is in $dir/out and $dir/err
ends_with()
{
    local wanted=$1 status=0
    shift
    "$@" > "$dir/out" 2> "$dir/err" || status=$?
    [ "$status" = "$wanted" ] || fail "$*: ended with $status, not $wanted: $(said)"
}

# warns_once COMMAND...: it works, and says in one line that the kernel stands still
warns_once()
{
    ends_with 0 memctx "$@"
    wants "$*" "$(said)" "$stands\$"
    [ "$(said | wc -l)" = 1 ] || fail "$*: more than one line on standard error: $(said)"
}

check_commands()
{
    warns_once read web1 0x100000000 5 --physical
    wants read "$(< "$dir/out")" '\|above\|$'
    warns_once read web1 0x100000000 5 --physical --timeout 60
    warns_once show web1
    wants show "$(< "$dir/out")" '^<memctx generation="1" live="no">$'
    warns_once show web1 --json
    wants show-json "$(< "$dir/out")" '^\{"generation":1,"live":"no",'
    for format in json xml shell vmcoreinfo drgn; do
        warns_once export web1 --format $format
        warns_once export web1 --format $format --timeout 60
    done
    wants export-drgn "$(< "$dir/out")" '^# live=no: this kernel stands still$'
    # shellcheck disable=SC2016 # for the shell inside
    warns_once exec web1 -- sh -c 'echo "$MEMCTX_LIVE $MEMCTX_JSON"'
    wants exec "$(< "$dir/out")" '^no \{"generation":1,"live":"no",'
    warns_once core web1 -o "$dir/core"
    [ -s "$dir/core" ] || fail "core: nothing was written"
}

check_list()
{
    ends_with 0 memctx list
    wants list "$(< "$dir/out")" '^ 3 +web1 +silent +- +still for 61 s: it panicked$'
    [ -z "$(said)" ] || fail "list: $(said)"
    ends_with 0 memctx list --json
    wants list-json "$(< "$dir/out")" '"state":"silent","reason":"it panicked","live":"no","still":61\}'
}

# A wait is for a kernel that runs. It says that there is one which does not.
check_wait()
{
    local pid i status=0
    ends_with 4 memctx wait web1 --timeout 0
    wants wait-not "$(said)" "$stands; waiting for one that runs\$"
    ends_with 4 memctx wait web1 --timeout 0.1
    wants wait-short "$(said)" "$stands; waiting for one that runs\$"
    wants wait-short "$(said)" "^error: domain 'web1': no datum in the time given\$"
    : > "$dir/err" # not to take what was said before for what is said now
    "$build/memctx" --runtime-dir "$dir/agent" wait web1 > "$dir/out" 2> "$dir/err" &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        [ -z "$(said)" ] || break
        sleep 0.1
    done
    becomes ready
    wait $pid || status=$?
    [ $status = 0 ] || fail "wait: ended with $status: $(said)"
    wants wait "$(< "$dir/out")" '^<memctx generation="1">$'
    [ "$(said | wc -l)" = 1 ] || fail "wait: more than one line on standard error: $(said)"
}

check_ready()
{
    ends_with 0 memctx read web1 0 16 --physical
    [ -z "$(said)" ] || fail "read of a kernel that runs: $(said)"
    # An outer memctx exec may have been that of a silent guest.
    # shellcheck disable=SC2016 # for the shell inside
    MEMCTX_LIVE=no ends_with 0 memctx exec web1 -- sh -c 'echo "${MEMCTX_LIVE-absent}"'
    [ "$(< "$dir/out")" = absent ] || fail "exec: MEMCTX_LIVE is $(< "$dir/out")"
    ends_with 0 "$build/examples/guest-info" web1 "$dir/agent"
    [ -z "$(said)" ] || fail "guest-info of a kernel that runs: $(said)"
}

# ---- examples -------------------------------------------------------------------------------------------

# program NAME: in place of one of the host's, for what is called by with_programs
program() { mkdir -p "$dir/bin"; { echo '#!/bin/sh'; cat; } > "$dir/bin/$1"; chmod +x "$dir/bin/$1"; }
with_programs() { PATH="$dir/bin:$PATH" "$@"; }

check_reader()
{
    local live
    command -v xmllint > /dev/null || { echo "no xmllint: reader.sh not checked"; return; }
    program virsh <<'END'
case $* in *metadata*) cat "$DATUM" ;; *) echo 6695eb01-f6a4-8304-79aa-97f2502e193f ;; esac
END
    export DATUM=$dir/datum
    for live in "" no unknown frozen; do
        memctx show web1 2> /dev/null | sed "1s/ live=\"no\"/${live:+ live=\"$live\"}/" > "$DATUM"
        ends_with 0 with_programs "$top/examples/reader.sh" web1
        if [ -n "$live" ]; then wants "reader.sh, $live" "$(said)" "^warning: live is $live: this kernel .*stand"
        else [ -z "$(said)" ] || fail "reader.sh of a kernel that runs: $(said)"; fi
        wants reader.sh "$(< "$dir/out")" '^kcr3 0x'
    done
}

# hook NAME WHAT
hook() { memctx show web1 2> /dev/null | MEMCTX_UUID=one with_programs "$top/examples/hooks/$1" web1 "$2" 1; }

check_hooks()
{
    local pid
    program logger <<< 'exec cat'
    wants journal-silent "$(hook ready-journal silent)" '^MESSAGE=.*kernel 1 does not run any more'
    wants journal-silent "$(hook ready-journal silent)" '^PRIORITY=4$'
    wants journal-lost "$(hook ready-journal lost)" '^MESSAGE=.* is lost '
    program tool <<< 'exec sleep 1000'
    export TOOL=tool TOOL_RUN=$dir/tools
    hook ready-tool ready
    pid=$(< "$dir/tools/one.pid")
    hook ready-tool silent
    [ "$(cat "$dir/tools/one.pid")" = "$pid" ] && kill -0 "$pid" || fail "ready-tool ends its tool when a kernel stops"
    hook ready-tool lost
    [ ! -e "$dir/tools/one.pid" ] || fail "ready-tool leaves its tool when a kernel is gone"
}

mkdir "$dir/agent"
coproc SERVER { exec "$build/tests/serve" linux "$dir/agent"; }
server=$SERVER_PID
read -r line <&"${SERVER[0]}"
[ "$line" = ready ] || fail "tests/serve does not come up"
check_ready
becomes silent
check_commands
check_list
ends_with 0 "$build/examples/guest-info" web1 "$dir/agent"
wants guest-info "$(said)" 'this kernel stands still$'
check_reader
check_hooks
check_wait
eval "exec ${SERVER[1]}>&-"
wait "$server"
[ "$failures" = 0 ]
