#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What a search for Windows costs, whole processes, in turns within one run:
#   - RAM without a kernel, all pages touched: "memctx probe" against one pread pass over it;
#   - a ready guest with a low stub in sparse RAM: "memctx probe" against a program that does nothing.
# Prints medians.    tests/bench/windows.sh [MIB]     MEMCTX_BUILDDIR: where memctx is; a file of MIB (4096) in /dev/shm
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-.}" && pwd)
mib=${1:-4096}
dir=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$dir"' EXIT
${CC:-cc} -O2 -o "$dir/pass" "$here/pass.c"
${CC:-cc} -O2 -std=gnu11 -D_GNU_SOURCE -I"$top/src" -I"$top/tests" -o "$dir/winram" "$top/tests/bed/winram.c" \
    "$top/tests/winimg.c" "$top/tests/guestimg.c" "$build/.libs/libcore.a"
# Bytes of no meaning, but not all alike; a seed, not random, so that runs can be compared.
perl -e 'srand(7); my $b = join "", map { pack "V", rand(2**32) } 1 .. 262144; print $b for 1 .. $ARGV[0]' "$mib" \
    > "$dir/touched"
truncate -s 4G "$dir/sparse"
"$dir/winram" "$dir/sparse" 0xc0000000 build=22621 processes=40 ready > /dev/null
# shellcheck disable=SC2016
perl -MTime::HiRes=time -e '
    my ($dir, $memctx) = @ARGV;
    my %run = (
        pass => "$dir/pass $dir/touched",
        search => "$memctx probe --ram $dir/touched --low 3G",
        stub => "$memctx probe --ram $dir/sparse --low 3G --json",
        nothing => "/bin/true",
    );
    my (%t, %m);
    for my $turn (1 .. 11) {
        for my $name (sort keys %run) {
            my $t = time;
            system("$run{$name} > /dev/null 2>&1");
            push @{$t{$name}}, time - $t;
        }
    }
    for (keys %t) { my @s = sort { $a <=> $b } @{$t{$_}}; $m{$_} = 1e3 * $s[5] }
    printf "touched RAM: pass %.0f ms, probe %.0f ms, speed %.2f of the pass\n", $m{pass}, $m{search},
        $m{pass} / $m{search};
    printf "low stub in sparse RAM: probe %.1f ms (a program that does nothing: %.1f ms)\n", $m{stub}, $m{nothing};
' "$dir" "$build/memctx"
