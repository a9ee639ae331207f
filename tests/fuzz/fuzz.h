/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a fuzz target is, to libFuzzer (libfuzzer.c) and to make check
 * (replay.c) alike. A finding is an abort, or what a sanitizer says. */
#ifndef MEMCTX_TESTS_FUZZ_H
#define MEMCTX_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Run the target on one input. It behaves the same for the same input, however
 * many were run before. */
void fuzz_one(const uint8_t *data, size_t size);

/* Like assert(), but not to be compiled out. */
#define FUZZ_MUST(condition)                                                   \
    ((condition) ? (void)0                                                     \
                 : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
                            #condition),                                       \
                    abort()))

#endif
