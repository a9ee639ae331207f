/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The retry law: geometric growth with a cap, and a floor from cost. */
#include "domain/backoff.h"

#include "base/bytes.h"

/* A day: a budget need not grow with delays beyond it. */
#define DELAY_SANE_US (UINT64_C(86400) * 1000000)

static uint64_t
natural_delay(const struct memctx_backoff_limits *limits, unsigned attempt)
{
    uint64_t delay = limits->first_us;
    /* Bounded: stops at the cap, or at once where nothing grows. */
    for (unsigned i = 1; i < attempt && delay < limits->cap_us; i++) {
        uint64_t step;
        if (limits->growth_percent == 0)
            break;
        if (!memctx_mul(delay, limits->growth_percent, &step) ||
            !memctx_add(delay, memctx_max(step / 100, 1), &delay))
            delay = limits->cap_us;
    }
    return memctx_min(delay, limits->cap_us);
}

uint64_t
memctx_backoff_delay(const struct memctx_backoff_limits *limits,
                     unsigned attempt, uint64_t cost_us)
{
    uint64_t floor_us;
    if (!memctx_mul(cost_us, limits->cost_factor, &floor_us))
        floor_us = UINT64_MAX;
    return memctx_max(natural_delay(limits, attempt), floor_us);
}

uint64_t
memctx_backoff_budget(const struct memctx_backoff_limits *limits,
                      unsigned attempt, uint64_t ns_per_mib)
{
    uint64_t delay_us =
        memctx_min(natural_delay(limits, attempt), DELAY_SANE_US);
    uint64_t ns = delay_us * 1000 / limits->cost_factor;
    /* A third is left for what a try costs beside reading. */
    uint64_t mib = ns * 2 / 3 / memctx_max(ns_per_mib, 1);
    return memctx_max(mib, 1) * MEMCTX_MIB;
}
