#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What compilers do not say: static analysis of C and shell, layout, spelling, links and examples in the documents. Prints each finding; exits with 1 if
# there is one, with 77 if a tool is missing.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh; config.h of the build directory is read
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
failures=0
cd "$top" || exit 1

# Each release of clang-format lays out a little differently: .clang-format is for this one.
format_release=14

for tool in cppcheck shellcheck clang-format codespell python3; do
    command -v "$tool" > /dev/null || { echo "lint: $tool is missing: run tests/bed/install.sh"; exit 77; }
done

mapfile -t sources < <(find src agent hooks examples tests -name '*.[ch]' ! -path 'tests/fuzz/corpus/*' | sort)
mapfile -t scripts < <({
    find tests examples docs packaging -name '*.sh'
    find completion examples/hooks packaging/debian/tests packaging/debian/*.postrm -type f ! -name _memctx ! -name '*.fish' \
        ! -name control
    echo .ci/run
} | sort)

# lint NAME COMMAND...
lint()
{
    local name=$1
    shift
    if "$@"; then echo "ok $name"; else echo "not ok $name"; failures=$((failures + 1)); fi
}

check_c()
{
    cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,performance,portability \
        --suppressions-list=tests/cppcheck.supp -j "$(nproc)" -D_GNU_SOURCE '-DSYSCONFDIR="/etc"' \
        --include="$build/config.h" -Isrc -Iagent src agent hooks
}

# Each follows what it sources, which takes a second or two.
check_shell() { printf "%s\\0" "${scripts[@]}" | xargs -0 -n 4 -P "$(nproc)" shellcheck -x -S warning; }

# The name of a clang-format of that release
format_tool()
{
    local tool
    for tool in "clang-format-$format_release" clang-format; do
        ! "$tool" --version 2> /dev/null | grep -q " version $format_release\." || { echo "$tool"; return; }
    done
    return 1
}

check_layout()
{
    local tool
    tool=$(format_tool) || { echo "skip clang-format: the layout is that of release $format_release"; return; }
    "$tool" --dry-run --Werror "${sources[@]}"
}

# Of "\\nNAME" in a string the word is NAME.
check_spelling()
{
    codespell -q 3 --ignore-words tests/codespell.ignore --ignore-regex '\\n' ./*.md docs/*.md NEWS man/*.pod \
        "${sources[@]}" "${scripts[@]}"
}

lint cppcheck check_c
lint shellcheck check_shell
lint clang-format check_layout
lint codespell check_spelling
lint documents python3 tests/check-docs.py
[ "$failures" = 0 ]
