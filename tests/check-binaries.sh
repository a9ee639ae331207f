#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What is installed can be loaded anywhere, has every function bound before main(), and then its tables read-only: a
# process in a sandbox has nothing left to look up. And memctxd has no code that walks page tables or searches.
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

# All but what makes a stub
parsers='memctx_(paging_(walk|read)|iterator_|view_|target_|printk_|symbols_|kallsyms_|btf_|image_|search_|bootstrap_|layouts_|vmcoreinfo_|windows_|linux_[^s]).*'

for name in ./memctx ./memctxd hooks/qemu ./libmemctx.so; do
    shown=$(readelf -hldW "$(built "$name")") || failures=$((failures + 1))
    wants "$name" 'Type: +DYN' "has an address of its own (not PIE)"
    wants "$name" 'GNU_RELRO' "keeps its tables writable (no -z relro)"
    wants "$name" 'BIND_NOW|FLAGS.*NOW' "looks functions up when they are called (no -z now)"
    ! grep -E 'GNU_STACK.* RWE' <<< "$shown" || { echo "$name: has a stack that runs" >&2; failures=$((failures + 1)); }
done
# The prober has some, or we would not know them by these names.
has ./memctx-prober "$parsers" || { echo "./memctx-prober: has no code to parse guest bytes" >&2; failures=1; }
! has ./memctxd "$parsers" || { echo "./memctxd: has code to parse guest bytes" >&2; failures=$((failures + 1)); }
[ "$failures" = 0 ]
