#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# A third guest system, added as the checklist on top of src/guest/guest.h says and in no other way: its room, a row
# in one file of C, a word in the schema. It must be searched for, published and read back like those that are there.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh; CFLAGS, LIBS: how to build with libxml2 and json-c
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
cc=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
read -ra flags <<< "-std=gnu11 -O0 -w -include $build/config.h ${CFLAGS-}"
read -ra libs <<< "${LIBS-}"

fail()
{
    echo "$*" >&2
    exit 1
}

# edit FILE SCRIPT: a copy of $top/FILE in $dir that sed has changed; the checklist names it.
edit()
{
    local name=${1##*/}
    mkdir -p "$dir/$(dirname "$1")"
    sed "$2" "$top/$1" > "$dir/$1"
    ! cmp -s "$top/$1" "$dir/$1" || fail "$1 is not as it was: nothing to change"
    sed -n '1,/#ifndef/p' "$top/src/guest/guest.h" | grep -qF "$name" || fail "the checklist in guest.h lacks $1"
}

# The room, and what else the checklist has a compiler or a reader see.
mkdir -p "$dir/src/guest/toy"
cp "$top"/tests/unit/guest/toy/toy.[ch] "$dir/src/guest/toy/"
edit src/guest/kernel.h 's/^    X(WINDOWS, .*)$/& \\\n    X(TOY, "toy", memctx_toy_ops)/'
edit src/memctx.rng 's,<value>windows</value>,&<value>toy</value>,'

# Compiles NAME SOURCE...: objects of one name may be in several rooms.
compile()
{
    local name=$1
    shift
    mkdir -p "$dir/objects/$name"
    (cd "$dir/objects/$name" && "$cc" "${flags[@]}" "-I$dir/src" "-I$top/src" "-I$top/tests/support" -c "$@")
}

# All rooms that the datum stands on; they see the copies first.
jobs=()
for room in base text ram paging guest guest/linux guest/windows search datum; do
    compile "$room" "$top/src/$room"/*.c & jobs+=($!)
done
compile toy "$dir/src/guest/toy/toy.c" "$top/tests/unit/guest/toy/test_toy.c" "$top/tests/support/guestimg.c" & jobs+=($!)
for job in "${jobs[@]}"; do wait "$job" || fail "the Toy does not compile"; done
mapfile -t objects < <(find "$dir/objects" -name '*.o')
"$cc" -o "$dir/test_toy" "${objects[@]}" "${libs[@]}" || fail "the Toy does not link"
"$dir/test_toy" > "$dir/datum.xml" || fail "the Toy is not found, or not published"
! command -v xmllint > /dev/null || xmllint --noout --relaxng "$dir/src/memctx.rng" "$dir/datum.xml" 2> "$dir/why" ||
    fail "the Toy's datum is none by the schema: $(< "$dir/why")"
