/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* When to try again, and how much a try may cost. Pure functions: the clock
 * and the counting are the caller's. */
#ifndef MEMCTX_BACKOFF_H
#define MEMCTX_BACKOFF_H

#include <stdint.h>

struct memctx_backoff_limits {
    uint64_t first_us;       /* delay after the first failed try; > 0 */
    uint64_t cap_us;         /* no delay grows beyond, but for cost; >= first */
    unsigned growth_percent; /* from one delay to the next */
    unsigned cost_factor;    /* a delay is at least so many times the CPU time
                                of the try before: 50 is 2 % of a core; > 0 */
    uint64_t credit_us;      /* CPU time that may be used before that counts,
                                and is earned again by waiting; 0: none */
};

/* A datum is late by a tenth of the time waited, and in the long run a waiting
 * domain costs 2 % of one core at most. The credit is for a kernel that comes
 * up: some tries are dear then, and it is a pity to be late. */
#define MEMCTX_BACKOFF_DEFAULTS                                     \
    {                                                               \
        .first_us = 50000, .cap_us = 2000000, .growth_percent = 10, \
        .cost_factor = 50, .credit_us = 150000                      \
    }

/* Delay in us after the attempt-th failed try (the first is 1), which took
 * cost_us of CPU time. */
uint64_t memctx_backoff_delay(const struct memctx_backoff_limits *limits,
                              unsigned attempt, uint64_t cost_us);

/* How many bytes the attempt-th try (the first is 1) may read so that the
 * delay behind it need not be longer than its natural one, when one byte costs
 * ns_per_mib / 2^20 nanoseconds. At least 1 MiB. */
uint64_t memctx_backoff_budget(const struct memctx_backoff_limits *limits,
                               unsigned attempt, uint64_t ns_per_mib);

#endif
