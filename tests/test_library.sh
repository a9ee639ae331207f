#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# libmemctx as others get it: what it shows, what it needs, that a program built with pkg-config runs; and the
# programs that read through it, against guests served by tests/serve.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
cc=${CC:-cc}
failures=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
library=$(readlink -f "$build/.libs/libmemctx.so")

fail()
{
    echo "$*" >&2
    failures=$((failures + 1))
}

# wants WHAT TEXT REGEX
wants() { grep -qE -- "$3" <<< "$2" || fail "$1: '$2' does not match '$3'"; }

# ends_with WHAT STATUS COMMAND...
ends_with()
{
    local what=$1 wanted=$2 status=0
    shift 2
    "$@" > /dev/null 2>&1 || status=$?
    [ "$status" = "$wanted" ] || fail "$what: ended with $status, not $wanted"
}

# ---- the library ----------------------------------------------------------------------------------------

# Functions that the public header declares, by the compiler's own word
declared()
{
    "$cc" -E -P -x c "$top/src/memctx.h" | tr '\n' ' ' | grep -oE '\bmemctx_[a-z_]+ *\(' | tr -d ' (' | sort -u
}

check_symbols()
{
    local shown
    shown=$(nm -D --defined-only "$library" | grep -vE ' A LIBMEMCTX_1(\.[0-9]+)?$| [BD] __(asan|odr|ubsan)' |
        cut -d ' ' -f 3 | sort)
    diff <(declared) <(sed 's/@@.*//' <<< "$shown") >&2 || fail "memctx.h < and > what libmemctx.so shows"
    # What programs were linked with stays in the version that they ask for.
    [ "$(grep -c '@@LIBMEMCTX_1$' <<< "$shown")" = 20 ] || fail "LIBMEMCTX_1 has other symbols than it had"
    wants versions "$shown" '^memctx_reader_open_flags@@LIBMEMCTX_1\.1$'
    [ "$(grep -c '@@LIBMEMCTX_1\.1$' <<< "$shown")" = 2 ] || fail "LIBMEMCTX_1.1 has other symbols than it had"
    wants versions "$shown" '^memctx_reader_log@@LIBMEMCTX_1\.2$'
}

# The list that Debian's packages are built with
check_debian_symbols()
{
    diff <(nm -D --defined-only "$library" | sed -nE 's/.* ([A-Za-z_0-9.]+)(@@LIBMEMCTX_[0-9.]+)$/\1\2/p' | sed 's/@@/@/' | sort) \
        <(sed -nE 's/^ (memctx_[a-z_]+@LIBMEMCTX_[0-9.]+) .*/\1/p' "$top/packaging/debian/libmemctx1.symbols" | sort) >&2 ||
        fail "libmemctx.so shows < and packaging/debian/libmemctx1.symbols has >"
}

check_needs()
{
    local needed
    needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    ! grep -q virt <<< "$needed" || fail "libmemctx needs libvirt: $needed"
    wants soname "$(readelf -d "$library")" 'SONAME.*libmemctx\.so\.1\]'
}

# The man page describes each function.
check_page()
{
    local name
    for name in $(declared); do
        grep -q "^=item B<$name>" "$top/man/libmemctx.pod" || fail "libmemctx(3) does not describe $name"
    done
}

# Installed as "make install DESTDIR=" does it, and used by a C and, if there is one, a C++ compiler.
check_install()
{
    local prefix flags name
    make -s -C "$build" DESTDIR="$dir/root" install-libLTLIBRARIES install-includeHEADERS install-pkgconfigDATA \
        > "$dir/install.log" 2>&1 || { fail "make install: $(tail -n 5 "$dir/install.log")"; return; }
    # No other library is known there: the header needs none.
    export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR="$dir/root"
    PKG_CONFIG_LIBDIR=$(dirname "$(find "$dir/root" -name libmemctx.pc)")
    read -ra flags <<< "$(pkg-config --cflags --libs libmemctx)"
    prefix=$(dirname "$(find "$dir/root" -name libmemctx.so)")
    [ "$(find "$dir/root" -name memctx.h | wc -l)" = 1 ] || fail "one header is installed"
    for name in guest-info guest-report; do
        "$cc" -Wall -Wextra -Werror -o "$dir/$name" "$top/examples/$name.c" "${flags[@]}" "-Wl,-rpath,$prefix" ||
            fail "$name.c cannot be built with pkg-config"
    done
    ! command -v c++ > /dev/null || c++ -fsyntax-only -Werror -x c++ "$top/src/memctx.h" || fail "memctx.h is no C++"
    unset PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
}

# ---- programs -------------------------------------------------------------------------------------------

# serve KIND: until stop; the agent's directory is $dir/agent
serve()
{
    local line
    mkdir -p "$dir/agent"
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

# first_line ARGUMENT...: of what memctx says with these, which goes on until it is ended; a minute is for a machine that
# stands still.
first_line()
{
    local pid
    : > "$dir/said"
    "$build/memctx" --runtime-dir "$dir/agent" "$@" > "$dir/said" &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        [ "$(wc -l < "$dir/said")" = 0 ] || break
        sleep 0.1
    done
    kill "$pid"
    wait "$pid" 2> /dev/null
    head -n 1 "$dir/said"
}

memctx() { "$build/memctx" --runtime-dir "$dir/agent" "$@"; }

# A build with sanitizers says that its sandbox has no filter.
without_warning() { grep -v '^warning: with sanitizers'; }

check_linux()
{
    serve linux
    wants guest-info-linux "$("$build/examples/guest-info" web1 "$dir/agent" 2>&1)" '^Linux 6\.1\.'
    wants list "$(memctx list)" 'web1 +ready'
    wants read "$(memctx read --physical web1 0x100000000 5)" '^0000000100000000  61 62 6f 76 65  *\|above\|$'
    wants read-json "$(memctx --json read --physical web1 4294967296 5)" \
        '^\{"gpa":"0x100000000","bytes":"61626f7665","size":"0x5"\}$'
    wants read-json-cut "$(memctx --json read --physical web1 0x1000ffff0 32 2> /dev/null)" '"bytes":"(00){16}","size":"0x10"\}$'
    ends_with wait-no-time 0 memctx wait web1 --timeout 0
    [ "$(memctx --raw --physical read web1 0x100000000 1M | wc -c)" = 1048576 ] || fail "read --raw: not 1 MiB"
    wants read-rows "$(memctx --physical read web1 0x100000001 40 | tail -n 1)" '^0000000100000021  (00 ){8} {26}\|\.{8}\|$'
    # Up to where RAM ends, then the error.
    wants read-cut "$(memctx --physical read web1 0x1000ffff0 32 2>&1 | without_warning | tr '\n' '/')" \
        '^00000001000ffff0 .*/error: .*is not RAM/$'
    ends_with read-cut 1 memctx --physical read web1 0x1000ffff0 32
    wants read-gva "$(memctx read web1 "$(memctx --json show web1 | grep -o '"base":"[^"]*' | cut -d '"' -f 4)" 16)" '^ffffffff'
    ends_with read-bad-address 2 memctx read web1 4K
    ends_with read-bad-length 2 memctx read web1 0 x
    ends_with read-wraps 2 memctx read web1 0xffffffffffffffff 2
    ends_with read-full 1 bash -c "'$build/memctx' --runtime-dir '$dir/agent' --physical --raw read web1 0 1M > /dev/full"
    ends_with write-bad-address 2 memctx write web1 4K 00
    for hex in "" 0 0g "$(printf '00%.0s' {1..193})"; do ends_with "write-bad-hex" 2 memctx write web1 0x1000 "$hex"; done
    ends_with write-refused 1 memctx write web1 4096 "$(printf '00%.0s' {1..192})"
    wants core-mount-file "$(timeout 60 "$build/memctx" --runtime-dir "$dir/agent" core web1 --mount "$top/README.md" 2>&1)" \
        '^error: cannot mount on .*: (Not a directory|built without libfuse3)$'
    check_explained
    check_exec
    check_commands
    stop
    ends_with no-agent 1 memctx read web1 0
}

# What a guest says of itself, by commands and through the library
check_explained()
{
    local said exit_gva behind
    said=$("$build/examples/guest-report" web1 "$dir/agent" 2>&1)
    wants report-memory "$said" '^memory 390 MiB, free 156 MiB$'
    wants report-process "$said" '^process 7 a"b$'
    wants report-module "$said" '^module fat$'
    wants report-log "$said" '^log second\?line$'
    wants ps "$(memctx ps web1)" '^ {6}7 {7}1 {4}1000 S {7}7\.00 a"b$'
    wants ps-json "$(memctx ps web1 --json)" \
        '\{"pid":7,"ppid":1,"uid":1000,"state":"S","kernel_thread":false,"start":7\.000,"name":"a\\"b"\},\{"pid":100,.*\],"complete":true\}$'
    wants lsmod "$(memctx lsmod web1)" '^fat +12288  [0-9]+ dummy$'
    wants lsmod-json "$(memctx lsmod web1 --json)" '\{"name":"fat","size":12288,"refcount":[0-9]+,"used_by":\["dummy"\],'
    wants stat "$(memctx stat web1)" '^MemTotal: +400000 kB$'
    wants stat-json "$(memctx stat web1 --json)" '"load5":1\.25,.*"mem_total":409600000,.*"processes":82\}$'
    wants dmesg "$(memctx dmesg web1 --raw)" '^<4>\[    0\.002000\] second$'
    export XDG_CACHE_HOME="$dir/cache"
    mkdir -p "$XDG_CACHE_HOME"
    # Twice: the second time from what was kept.
    for _ in first again; do
        said=$(memctx symbols web1)
        wants symbols "$said" '^[0-9a-f]{16} t do_exit$'
        wants symbols-module "$said" $'^ffffffffc[0-9a-f]{7} . dummy_init\t\\[dummy\\]$'
        exit_gva=0x$(sed -n 's/ t do_exit$//p' <<< "$said")
        behind=$(printf '%#x' $((exit_gva + 4)))
        wants at "$(memctx symbols web1 --at "$behind")" '^do_exit\+0x4$'
        wants at-json "$(memctx symbols web1 --at "$exit_gva" --json)" \
            "^\\{\"symbols\":\\[\\{\"address\":\"$exit_gva\",.*\"name\":\"do_exit\"\\}\\],\"offset\":\"0x0\"\\}$"
        wants at-module "$(memctx symbols web1 --at "0x$(sed -n 's/ . dummy_exit.*//p' <<< "$said")")" $'^dummy_exit\\+0x0\t\\[dummy\\]$'
        ends_with at-nowhere 3 memctx symbols web1 --at 0x10
        wants symbols-json "$(memctx symbols web1 --json)" '"name":"_stext"\},.*"name":"fat_exit","module":"fat"\}\]\}$'
        wants symbols-map "$(memctx symbols web1 --format system-map)" '^ffffffff81000100 t do_exit$'
        [ "$(memctx read web1 do_exit+4 16 | tail -n +2)" = "$(memctx read web1 "$behind" 16)" ] || fail "read SYMBOL+OFFSET"
        wants read-symbol "$(memctx read web1 do_exit+4 16 | head -n 1)" '^ffffffff[0-9a-f]{8} <do_exit\+0x4>:$'
        wants read-symbol-json "$(memctx read web1 do_exit 16 --json)" '^\{"gva":"0x[0-9a-f]+","symbol":"do_exit","bytes":'
    done
    [ "$(find "$XDG_CACHE_HOME" -name '*.symbols' -perm 600 | wc -l)" = 1 ] || fail "symbols were not kept"
    unset XDG_CACHE_HOME
    ends_with at-no-address 2 memctx symbols web1 --at do_exit
    ends_with at-and-format 2 memctx symbols web1 --at 0 --format system-map
}

check_exec()
{
    local said
    # shellcheck disable=SC2016 # for the shell inside
    said=$(memctx exec web1 -- bash -c 'set -u
        echo $MEMCTX_DOMAIN $MEMCTX_UUID $MEMCTX_GENERATION $MEMCTX_KCR3 $MEMCTX_LOW $MEMCTX_PAGING $MEMCTX_OS
        echo $MEMCTX_KERNEL_BASE $MEMCTX_KASLR_OFFSET $MEMCTX_PHYS_BASE $MEMCTX_VERSION ${MEMCTX_SYSTEM_EPROCESS-none}
        echo "$MEMCTX_FDS:$MEMCTX_EXTENTS"
        dd bs=1M skip=128 count=1 status=none <&"$MEMCTX_FD" | head -c 5; echo
        echo "$MEMCTX_JSON"
        { echo x >&"$MEMCTX_FD"; } 2> /dev/null || echo read-only
        find /proc/self/fd -lname "*memfd:state*" -o -lname "*memfd:guestimg*" | wc -l' 2>&1)
    wants exec-names "$said" '^web1 6695eb01-.* 1 0x[0-9a-f]+ 0x8000000 x86_64-4level linux$'
    wants exec-kernel "$said" '^0xffffffff[0-9a-f]+ 0x[0-9a-f]+ -?0x[0-9a-f]+ 6\.1\..* none$'
    wants exec-ram "$said" '^([0-9]+):0x0:0x8000000:0:0x0 0x100000000:0x100000:0:0x8000000$'
    wants exec-fd "$said" '^above$'
    wants exec-json "$said" '^\{"generation":1,"kcr3"'
    wants exec-read-only "$said" '^read-only$'
    # RAM, and no state page
    wants exec-no-more "$said" '^1$'
    check_export
    ends_with exec-status 7 memctx exec web1 -- sh -c 'exit 7'
    ends_with exec-not-found 127 memctx exec web1 -- /nonexistent/command
    ends_with exec-not-run 126 memctx exec web1 -- /etc
    ends_with exec-usage 2 memctx exec web1
}

# Bare values of MEMCTX_... as a shell has them, but for those that only exec can know
# or that the tests have
variables() { grep '^MEMCTX_' | grep -vE '^MEMCTX_(FDS?|JSON|BUILDDIR|PROBER|SRCDIR|VALGRIND)=' | sort; }

# check_export: a shell gets of export what it gets of exec; entries are named by the domain, whatever it was called
check_export()
{
    local uuid=6695eb01-f6a4-8304-79aa-97f2502e193f exported
    # shellcheck disable=SC2016 # for the shell inside
    exported=$(env -i bash -c 'set -a; eval "$1"; env' - "$(memctx export web1 --format shell)" | variables)
    [ "$exported" = "$(memctx exec web1 -- env | variables)" ] || fail "export-shell: not what exec has: $exported"
    wants export-libvmi "$(memctx export $uuid --format libvmi)" '^web1 \{$'
    [ "$(memctx export web1 --format json)" = "$(memctx --json show web1)" ] || fail "export-json: not what show says"
    ends_with export-wait 0 memctx export web1 --format json --timeout 60
}

# What a command does not know is refused, on whichever side of it; each option does what it says.
check_commands()
{
    local options
    for options in "--raw list" "list --raw" "--raw --physical --low 2G --mount / list" "show web1 --timeout 1" \
        "exec --json web1 -- true" "export web1 --format json --json" "read web1 0 --raw --json" "list web1" \
        "core web1 -o $dir/core --low 1M" "core web1" "core -o $dir/core" "probe --ram / --json --export json" "wait" \
        "help nothing" "nothing" "--nothing list" "layout web1 --xml /" ""; do
        # shellcheck disable=SC2086 # several words
        ends_with "refused: $options" 2 memctx $options
    done
    wants unknown-option "$(memctx --raw list 2>&1 | tr '\n' /)" "^error: list: unknown option '--raw'/Try 'memctx list --help'\./$"
    wants unknown-command "$(memctx lst 2>&1 | tr '\n' /)" "^error: unknown command 'lst'/Try 'memctx --help'\./$"
    for options in --help help "read --help" "--help read" "help read" "read web1 0 -h" "--version list"; do
        # shellcheck disable=SC2086
        [ -z "$(memctx $options 2>&1 > /dev/null)" ] || fail "memctx $options: standard error is not empty"
        # shellcheck disable=SC2086
        ends_with "help: $options" 0 memctx $options
    done
    ends_with help-full 1 bash -c "'$build/memctx' --help > /dev/full"
    [ "$(memctx --json list)" = "$(memctx list --json)" ] || fail "--json on either side of list"
    wants list-json "$(memctx list --json)" '^\[\{"name":"web1".*\]$'
    ends_with wait-follow 4 memctx wait --follow --timeout 0.1
    wants wait-follow-json "$(first_line wait --follow --json)" '^\{"name":"web1".*"ready"\}$'
    memctx core web1 -o "$dir/core" || fail "core -o"
    wants core "$(head -c 4 "$dir/core" | tail -c 3)" '^ELF$'
}

check_windows()
{
    local kind said
    for kind in windows windows32; do
        serve "$kind"
        said=$("$build/examples/guest-info" web1 "$dir/agent" 2>&1)
        wants "guest-info-$kind" "$said" '^ *4 System$'
        [ "$(wc -l <<< "$said")" = 3 ] || fail "guest-info-$kind: 3 processes, found: $said"
        stop
    done
}

check_symbols
check_debian_symbols
check_needs
check_page
[ "${MEMCTX_VALGRIND:-0}" = 1 ] || check_install
check_linux
check_windows
[ "$failures" = 0 ]
