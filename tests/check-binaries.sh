#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What is installed can be loaded anywhere, has every function bound before main(), and then its tables read-only: a
# process in a sandbox has nothing left to look up. Stack frames and sizes of buffers are checked at run time. And memctxd
# has no code that walks page tables or searches.
#
#   MEMCTX_BUILDDIR  as for test_docs.sh
set -u
build=$(cd "${MEMCTX_BUILDDIR:-$(dirname "$0")/..}" && pwd)
failures=0

command -v readelf > /dev/null || { echo "check-binaries: readelf is missing (binutils)"; exit 77; }

# A program that links one of our libraries is a script in place of the program, which is in .libs then.
built()
{
    local file=$build/${1%/*}/.libs/${1##*/}
    [ -e "$file" ] || file=$build/$1
    echo "$file"
}

# wants FILE REGEX WHAT, in what readelf prints
wants()
{
    grep -qE -- "$2" <<< "$shown" || { echo "$1: $3" >&2; failures=$((failures + 1)); }
}

# has NAME FUNCTION
has() { readelf -sW "$(built "$1")" | grep -qE "FUNC .* ($2)\$"; }

# configured FLAG: the compiler was found to take it
configured() { grep -qE "^(HARDENING|FORTIFY) = .*$1" "$build/Makefile"; }

# checks NAME FLAG REGEX WHAT: with that flag, the program calls such a function of glibc's.
checks()
{
    ! configured "$2" || readelf -W --dyn-syms "$(built "$1")" | grep -qE " UND ($3)(@|\$)" ||
        { echo "$1: $4 ($2)" >&2; failures=$((failures + 1)); }
}

# Marks for control-flow enforcement (IBT, SHSTK) in what we compile. Whether the linker keeps them depends on the
# distribution: its own start-up code must have them, too, and Debian's has not.
check_branches()
{
    local object unmarked=
    grep -q -- 'X86-64' <<< "$(readelf -h "$(built ./memctxd)")" && configured -fcf-protection || return 0
    for object in "$build"/agent/*.o "$build"/agent/sandbox/.libs/*.o; do
        readelf -nW "$object" | grep -q 'IBT, SHSTK' || unmarked="$unmarked $object"
    done
    [ -z "$unmarked" ] || { echo "no marks for indirect branches:$unmarked" >&2; failures=$((failures + 1)); }
}

# All but what makes a stub
parsers='memctx_(paging_(walk|read)|iterator_|view_|target_|printk_|symbols_|kallsyms_|btf_|image_|search_|bootstrap_|layouts_|vmcoreinfo_|windows_|linux_[^s]).*'

for name in ./memctx ./memctxd ./memctx-prober hooks/qemu ./libmemctx.so; do
    shown=$(readelf -hldW "$(built "$name")") || failures=$((failures + 1))
    wants "$name" 'Type: +DYN' "has an address of its own (not PIE)"
    wants "$name" 'GNU_RELRO' "keeps its tables writable (no -z relro)"
    wants "$name" 'BIND_NOW|FLAGS.*NOW' "looks functions up when they are called (no -z now)"
    ! grep -E 'GNU_STACK.* RWE' <<< "$shown" || { echo "$name: has a stack that runs" >&2; failures=$((failures + 1)); }
    checks "$name" -fstack-protector __stack_chk_fail "has no guard in its stack frames"
    checks "$name" -D_FORTIFY_SOURCE '__[a-z]+_chk' "does not check the sizes of buffers"
done
check_branches
# The prober has some, or we would not know them by these names.
has ./memctx-prober "$parsers" || { echo "./memctx-prober: has no code to parse guest bytes" >&2; failures=1; }
! has ./memctxd "$parsers" || { echo "./memctxd: has code to parse guest bytes" >&2; failures=$((failures + 1)); }
[ "$failures" = 0 ]
