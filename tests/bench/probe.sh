#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Compares "memctx probe" with the floor (floor.c), whole processes, taken in
# turns within one run: prints both medians and their ratio.
#   tests/bench/probe.sh RAMFILE [LOW]      MEMCTX_BUILDDIR: where memctx is
set -eu
ram=$1
low=${2:+--low $2}
here=$(cd "$(dirname "$0")" && pwd)
memctx=${MEMCTX_BUILDDIR:-.}/memctx
floor=$(mktemp)
trap 'rm -f "$floor"' EXIT
${CC:-cc} -O2 -o "$floor" "$here/floor.c"
# shellcheck disable=SC2016
perl -MTime::HiRes=time -e '
    my ($ram, $floor, @probe) = @ARGV;
    my (%t, %m);
    sub run { my $t = time; system(join(" ", @_) . " > /dev/null"); time - $t }
    for (1 .. 31) {
        push @{$t{floor}}, run($floor, $ram);
        push @{$t{probe}}, run(@probe);
    }
    for (keys %t) { my @s = sort { $a <=> $b } @{$t{$_}}; $m{$_} = $s[15] }
    printf "floor %.1f ms, probe %.1f ms, ratio %.2f\n",
        1e3 * $m{floor}, 1e3 * $m{probe}, $m{probe} / $m{floor};
' "$ram" "$floor" "$memctx" probe --ram "$ram" $low
