/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a fuzz target is, to libFuzzer and to replay.c alike. */
#ifndef MEMCTX_TESTS_FUZZ_H
#define MEMCTX_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 0; a finding is an abort, or what a sanitizer says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert(), but not to be compiled out. */
#define FUZZ_MUST(condition)                                                   \
    ((condition) ? (void)0                                                     \
                 : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
                            #condition),                                       \
                    abort()))

#endif
