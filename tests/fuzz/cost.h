/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest must not be able to say how much work it is: what a target does with
 * an input costs no more than a bound, by the count of the RAM that it is done
 * with. What is no read is seen by its CPU time (libfuzzer.c). */
#ifndef MEMCTX_TESTS_COST_H
#define MEMCTX_TESTS_COST_H

#include "memram.h"

/* Steps of one try, and of one use of what it found. */
#define FUZZ_STEPS UINT64_C(300000)

struct fuzz_cost {
    const struct memram *ram;
    struct memram_cost before;
    uint64_t steps;
};

/* What follows may read so many pages of `ram`, in as many reads. */
struct fuzz_cost fuzz_cost_begin(const struct memram *ram, uint64_t steps);

/* Did it? */
void fuzz_cost_end(const struct fuzz_cost *cost);

#endif
