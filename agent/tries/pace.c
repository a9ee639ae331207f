/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Adds the cost of tries to the law of src/domain/backoff.h. */
#include "tries/pace.h"

#include "base/bytes.h"

/* What reading 1 MiB of guest RAM costs before it was measured: 7 GiB/s. */
#define NS_PER_MIB_GUESS 140000u

/* Clocks of an idle Linux move every 0.5 s. */
#define WATCH_CAP_US 500000u

/* How long a boot is young. */
#define YOUNG_US UINT64_C(30000000)

/* A prober that ends at once, whatever it is given. */
#define FAULT_FIRST_US 100000u
#define FAULT_CAP_US 30000000u

void
pace_init(struct pace *pace, const struct memctx_backoff_limits *limits)
{
    *pace = (struct pace){.limits = *limits, .ns_per_mib = NS_PER_MIB_GUESS};
    pace_restart(pace);
}

void
pace_restart_late(struct pace *pace)
{
    pace->attempt = 0;
    pace->grown = 0;
    pace->young = 0;
    pace->pending = false;
    pace->try_us = 0;
}

void
pace_restart(struct pace *pace)
{
    pace_restart_late(pace);
    pace->young = (unsigned)(YOUNG_US / memctx_max(pace->limits.first_us, 1));
}

/* What may be owed, as the time that pays for it. */
static uint64_t
credit_us(const struct pace *pace)
{
    uint64_t us;
    return memctx_mul(pace->limits.credit_us, pace->limits.cost_factor, &us)
               ? us
               : UINT64_MAX;
}

static uint64_t
owed_us(const struct pace *pace, uint64_t now_us)
{
    return pace->free_us - memctx_min(pace->free_us, now_us);
}

/* Is this one of the first tries of a boot, and were those before it cheap? A
 * guest in its firmware has little to look at. */
static bool
is_easy(const struct pace *pace, uint64_t now_us)
{
    return pace->attempt <= pace->young &&
           owed_us(pace, now_us) <= credit_us(pace) / 2;
}

void
pace_begin(struct pace *pace, uint64_t now_us)
{
    pace->attempt++;
    if (!is_easy(pace, now_us))
        pace->grown++;
    pace->tries++;
    pace->pending = false;
    pace->watches = 0;
    pace->watch_cost_us = 0;
}

void
pace_charge(struct pace *pace, uint64_t cost_us, uint64_t now_us)
{
    uint64_t pause_us;
    if (!memctx_mul(cost_us, pace->limits.cost_factor, &pause_us) ||
        !memctx_add(memctx_max(pace->free_us, now_us), pause_us,
                    &pace->free_us))
        pace->free_us = UINT64_MAX;
}

/* A prober may say what it likes about the bytes. Less than a MiB measures
 * nothing; but a budget that a dear try has made small lets no try read more,
 * so that what several have read is added up. */
void
pace_measure(struct pace *pace, uint64_t cost_us, uint64_t bytes)
{
    pace->read_us += memctx_min(cost_us, UINT32_MAX);
    pace->read_bytes += memctx_min(bytes, UINT64_MAX / 2);
    uint64_t mib = pace->read_bytes / MEMCTX_MIB;
    if (mib == 0)
        return;
    pace->ns_per_mib = memctx_max(pace->read_us * 1000 / mib, 1);
    pace->read_us = 0;
    pace->read_bytes = 0;
}

bool
pace_is_early(const struct pace *pace, uint64_t now_us)
{
    return owed_us(pace, now_us) > credit_us(pace);
}

void
pace_fail(struct pace *pace, bool pending, bool fault)
{
    pace->pending = pending;
    pace->faults = fault ? pace->faults + 1 : 0;
}

void
pace_watched(struct pace *pace, uint64_t cost_us)
{
    pace->watches++;
    pace->watch_cost_us = cost_us;
}

static uint64_t
fault_delay(const struct pace *pace)
{
    struct memctx_backoff_limits limits = {.first_us = FAULT_FIRST_US,
                                           .cap_us = FAULT_CAP_US,
                                           .growth_percent = 100,
                                           .cost_factor = 1};
    return pace->faults == 0 ? 0
                             : memctx_backoff_delay(&limits, pace->faults, 0);
}

/* It costs next to nothing, or it waits as a try does. */
static uint64_t
watch_delay(const struct pace *pace)
{
    struct memctx_backoff_limits limits = pace->limits;
    limits.cap_us = memctx_min(limits.cap_us, WATCH_CAP_US);
    limits.first_us = memctx_min(limits.first_us, limits.cap_us);
    return memctx_backoff_delay(&limits, pace->watches + 1,
                                pace->watch_cost_us);
}

uint64_t
pace_next(struct pace *pace, uint64_t now_us)
{
    if (!pace->pending || pace->watches == 0) {
        uint64_t delay_us =
            memctx_max(memctx_backoff_delay(&pace->limits, pace->grown + 1, 0),
                       fault_delay(pace));
        uint64_t payable_us =
            pace->free_us - memctx_min(pace->free_us, credit_us(pace));
        pace->try_us = memctx_max(now_us + delay_us, payable_us);
    }
    uint64_t next_us = pace->try_us;
    if (pace->pending)
        next_us = memctx_min(next_us, now_us + watch_delay(pace));
    return memctx_max(next_us - memctx_min(next_us, now_us), 1);
}

bool
pace_wants_watch(const struct pace *pace, uint64_t now_us)
{
    return pace->pending && now_us < pace->try_us;
}

uint64_t
pace_budget(const struct pace *pace)
{
    return memctx_backoff_budget(&pace->limits, pace->grown + 1,
                                 pace->ns_per_mib);
}
