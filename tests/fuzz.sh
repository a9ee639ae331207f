#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Replays the corpus of every fuzz target; with --fuzz runs libFuzzer on each.
set -eu
src=${MEMCTX_SRCDIR:-.}
build=${MEMCTX_BUILDDIR:-.}
targets='datum domxml kallsyms paging procmaps qemuargs reply vmcoreinfo windows windows_code windows_image'

replay()
{
    for target in $targets; do
        "$build/run" "$build/tests/replay_$target" "$src/tests/fuzz/corpus/$target"
    done
}

# New inputs are kept outside the source tree, so that they are looked at
# before they become part of the corpus.
fuzz()
{
    mkdir -p "$build/fuzz"
    for target in $targets; do
        # shellcheck disable=SC2046
        clang -std=gnu11 -D_GNU_SOURCE -g -O1 \
            -fsanitize=fuzzer,address,undefined -I"$src/src" -I"$src/tests/support" \
            -I"$src/agent" -DSYSCONFDIR='"/etc"' \
            $(pkg-config --cflags libxml-2.0 json-c) \
            "$src/tests/fuzz/fuzz_$target.c" "$src/tests/support/guestimg.c" "$src/tests/support/winimg.c" \
            "$src"/src/*/*.c "$src"/src/*/*/*.c \
            $(pkg-config --libs libxml-2.0 json-c) \
            -o "$build/fuzz/fuzz_$target"
        mkdir -p "$build/fuzz/$target"
        "$build/fuzz/fuzz_$target" -max_total_time="${FUZZ_SECONDS:-60}" \
            -print_final_stats=1 -artifact_prefix="$build/fuzz/" \
            "$build/fuzz/$target" "$src/tests/fuzz/corpus/$target"
    done
}

if [ "${1:-}" = --fuzz ]; then fuzz; else replay; fi
