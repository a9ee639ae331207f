#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What things cost, each measured in turns with something to compare it with (A B A B), as a table and as JSON. Nothing
# here passes or fails because of a number; it fails when something could not be measured.
#
#   tests/bench/run.sh [OPTION]... [ROW]...     all rows unless some are named
#
#   --list               print the rows
#   --runs N             rounds of each row (default 10; rows of whole processes take three times as many, those that
#                        watch an agent a third)
#   --seconds N          how long an agent is watched (default 20)
#   --against BUILDDIR   compare with that build, of another version say, too
#   --json FILE          write the table and every sample there
#   --short              the shortest form, to see that it runs
#
#   MEMCTX_BUILDDIR      the build that is measured, called A (default: the source tree if it was built in, or
#                        build-bench in it, which is made)
#
# A row is a file in tests/bench/rows: its line "# ROW" says what it measures, its function row_NAME calls "sample".
# shellcheck disable=SC2034 # rows use what is set here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

runs=10 watch_s=20 settle_s=5 guests=4 stubs=1000 ram_mib=1024 data_mib=1024
against='' json='' chosen=()
builds=(A)

# ---- options and builds -----------------------------------------------------------------------------------

usage() { sed -n '7,/^#   MEMCTX/p' "$0" | sed '$d; s/^# \{0,1\}//'; }
row_names() { basename -s .sh "$here"/rows/*.sh; }
row_list() { for row in $(row_names); do printf '%-9s %s\n' "$row" "$(sed -n 's/^# ROW //p' "$here/rows/$row.sh")"; done; }

parse()
{
    while [ $# != 0 ]; do
        case "$1" in
            --list) row_list; exit 0 ;;
            --short) runs=1 watch_s=1 settle_s=0 guests=1 stubs=20 ram_mib=256 data_mib=32 ;;
            --runs) runs=$2; shift ;;
            --seconds) watch_s=$2; shift ;;
            --against) against=$(realpath "$2") builds=(A B); shift ;;
            --json) json=$(realpath -m "$2"); shift ;;
            -h | --help) usage; exit 0 ;;
            -*) usage >&2; exit 2 ;;
            *) row_names | grep -qx -- "$1" || { echo "run.sh: no row $1, see --list" >&2; exit 2; }
               chosen+=("$1") ;;
        esac
        shift
    done
    [ ${#chosen[@]} != 0 ] || mapfile -t chosen < <(row_names)
}

# make_build DIR: with what is measured and the programs that measure
make_build()
{
    if [ ! -e "$1/Makefile" ]; then
        [ -x "$top/configure" ] || autoreconf -fi "$top"
        mkdir -p "$1"
        (cd "$1" && "$top/configure" -q)
    fi
    make -C "$1" -s -j"$(nproc)" memctx memctxd memctx-prober libmemctx.la \
        tests/bench/{firstread,floor,pass,ram,reader}
}

choose_build()
{
    if [ -z "${MEMCTX_BUILDDIR-}" ]; then
        MEMCTX_BUILDDIR=$top
        [ -e "$top/config.status" ] || MEMCTX_BUILDDIR=$top/build-bench
    fi
    make_build "$MEMCTX_BUILDDIR" >&2
}

# install_build BUILDDIR NAME: its programs and library where the bed's user may read them
install_build()
{
    mkdir -p "$BED_DIR/$2"
    bed_programs "$1" "$BED_DIR/$2"
    cp "$(readlink -f "$1/.libs/libmemctx.so")" "$BED_DIR/$2/libmemctx.so.1"
    chmod -R a+rX "$BED_DIR/$2"
    remark "$2" "$(version_of "$1"), $(flags_of "$1")"
}

# make_variable BUILDDIR NAME
make_variable() { sed -n "s/^$2 = *//p" "$1/Makefile"; }

version_of()
{
    git -C "$(make_variable "$1" abs_top_srcdir)" describe --always --dirty --exclude '*' 2> /dev/null || echo "no git"
}

flags_of() { for name in CC CFLAGS SANITIZE COVERAGE; do make_variable "$1" $name; done | xargs; }

# ---- all of it -----------------------------------------------------------------------------------------------------

# How much of the machine is left to us, in percent, seen for a second
idle_percent()
{
    local a b
    read -ra a < /proc/stat
    sleep 1
    read -ra b < /proc/stat
    local all=0 i
    for i in 1 2 3 4 5 6 7 8; do all=$((all + b[i] - a[i])); done
    echo $(((b[4] - a[4]) * 100 / all))
}

describe_machine()
{
    local idle
    idle=$(idle_percent)
    remark machine "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, Linux $(uname -r)"
    remark bed "$(libvirtd --version), $(qemu-system-x86_64 --version | head -n 1), TCG"
    remark measured "$(date -u +%FT%TZ), --runs $runs --seconds $watch_s, the machine was $idle % idle when it began"
    [ "$idle" -ge 90 ] || remark busy "the machine was busy with other things: ratios are worth more than numbers"
}

# What a row that failed may have left must not disturb the next.
clean_up()
{
    local name
    [ -z "$BED_AGENT" ] || agent_stop
    bed_virsh list --name | while read -r name; do [ -z "$name" ] || bed_destroy "$name"; done
}

bench_exit()
{
    local status=$?
    set +e
    rm -rf "$shm"
    (exit $status)
    bed_exit
}

main()
{
    local row turn=A turns_options=()
    bed_start
    shm=$(mktemp -d -p /dev/shm memctx-bench.XXXXXX)
    trap bench_exit EXIT
    chmod 777 "$shm"
    samples="$BED_DIR/log/samples"
    describe_machine
    install_build "$BED_BUILD" A
    if [ -n "$against" ]; then
        install_build "$against" B
        [ "$(flags_of "$BED_BUILD")" = "$(flags_of "$against")" ] || remark careful "A and B were not built alike"
    fi
    cp "$BED_BUILD"/tests/bench/{firstread,floor,pass,ram,reader} "$BED_DIR/bin/"
    cp "$BED_BUILD/tests/bench/.libs/reader" "$BED_DIR/bin/"
    chmod -R a+rX "$BED_DIR/bin"
    for row in "${chosen[@]}"; do
        diag "$row" >&2
        # shellcheck source=tests/bench/rows/core.sh
        . "$here/rows/$row.sh"
        "row_$row" || { not_ok "$row" "could not be measured"; clean_up; }
    done
    remark ended "$(date -u +%FT%TZ), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
    python3 "$here/table.py" "$samples" ${json:+"$json"}
    finish
}

parse "$@"
choose_build
export MEMCTX_BUILDDIR
# shellcheck source=tests/bed/bed.sh
. "$top/tests/bed/bed.sh"
# shellcheck source=tests/bench/measure.sh
. "$here/measure.sh"
# shellcheck source=tests/bench/watch.sh
. "$here/watch.sh"
main
