#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# What compilers do not say: static analysis of C and shell, layout, spelling. Prints each finding; exits with 1 if
# there is one, with 77 if a tool is missing.
#
#   MEMCTX_BUILDDIR, MEMCTX_SRCDIR  as for test_docs.sh; config.h of the build directory is read
set -u
top=$(cd "${MEMCTX_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${MEMCTX_BUILDDIR:-$top}" && pwd)
failures=0
cd "$top" || exit 1

for tool in cppcheck shellcheck clang-format codespell; do
    command -v "$tool" > /dev/null || { echo "lint: $tool is missing: run tests/bed/install.sh"; exit 77; }
done

# lint NAME COMMAND...
lint()
{
    local name=$1
    shift
    if "$@"; then echo "ok $name"; else echo "not ok $name"; failures=$((failures + 1)); fi
}

sources() { find src agent hooks examples tests -name '*.[ch]' ! -path 'tests/fuzz/corpus/*' | sort; }
scripts() { { find tests examples completion -name '*.sh'; find completion examples/hooks -type f; echo .ci/run; } | sort -u; }

check_c()
{
    cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,performance,portability \
        --suppressions-list=tests/cppcheck.supp -j "$(nproc)" -D_GNU_SOURCE '-DSYSCONFDIR="/etc"' \
        --include="$build/config.h" -Isrc -Iagent src agent hooks
}
check_shell() { scripts | xargs shellcheck -x -S warning; }
check_layout() { sources | xargs clang-format --dry-run --Werror; }
check_spelling()
{
    codespell -q 3 --ignore-words tests/codespell.ignore README.md ARCHITECTURE.md HACKING.md SECURITY.md NEWS \
        man/*.pod $(sources) $(scripts)
}

lint cppcheck check_c
lint shellcheck check_shell
lint clang-format check_layout
lint codespell check_spelling
[ "$failures" = 0 ]
