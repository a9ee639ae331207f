/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Measures tasks by the CPU clock of the process. */
#include "tries/live.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"

/* A prober that used less than a tenth of such a span waits for something. */
#define SPAN_US 100000u

/* One that is asked nothing has nothing to do. */
#define REST_CHECK_US 1000000u
#define REST_CPU_US 50000u

static const char *const fault_names[] = {
    [TRIES_FINE] = "did well",   [TRIES_NOT_STARTED] = "was not started",
    [TRIES_CRASHED] = "crashed", [TRIES_SPUN] = "took too long",
    [TRIES_HUNG] = "hangs",      [TRIES_LIED] = "lied",
    [TRIES_FLOODED] = "flooded",
};
static_assert(MEMCTX_ARRAY_LEN(fault_names) == TRIES_FAULTS,
              "every fault has a name");

const char *
tries_fault_name(enum tries_fault fault)
{
    return fault < TRIES_FAULTS ? fault_names[fault] : "?";
}

uint64_t
live_cost_us(const struct live *live)
{
    uint64_t total_us = prober_cpu_us(live->prober);
    return total_us - memctx_min(total_us, live->cpu_us);
}

uint64_t
live_charge(struct live *live)
{
    uint64_t total_us = prober_cpu_us(live->prober);
    uint64_t more_us = total_us - memctx_min(total_us, live->charged_us);
    live->charged_us += more_us;
    return more_us;
}

/* What it used before its first task is part of that: it was started for it. */
void
live_begin(struct live *live, enum tries_lane lane, uint64_t now_us)
{
    live->owed += live->running;
    live->running = true;
    live->stale = false;
    live->stalled = false;
    live->lane = lane;
    live->since_us = now_us;
    live->cpu_us = prober_cpu_us(live->prober);
    live->seen_us = now_us;
    live->seen_cpu_us = live->cpu_us;
}

void
live_end(struct live *live, uint64_t now_us)
{
    live->running = false;
    live->stale = false;
    live->since_us = now_us;
    live->cpu_us = prober_cpu_us(live->prober);
}

void
live_retire(struct live *live)
{
    live->ending = true;
    live->running = false;
    if (live->launched)
        prober_kill(live->prober);
}

/* Has it used the CPU in the last span? */
static void
look_for_stall(struct live *live, uint64_t now_us)
{
    uint64_t span_us = now_us - live->seen_us;
    if (span_us < SPAN_US)
        return;
    uint64_t cpu_us = prober_cpu_us(live->prober);
    live->stalled = cpu_us - live->seen_cpu_us < span_us / 10;
    live->seen_us = now_us;
    live->seen_cpu_us = cpu_us;
}

enum tries_fault
live_check(struct live *live, const struct tries_limits *limits,
           uint64_t now_us, char *words, size_t size)
{
    if (live->ending)
        return TRIES_FINE;
    if (!live->running) {
        snprintf(words, size, "it was asked nothing");
        return live_cost_us(live) >= REST_CPU_US ? TRIES_SPUN : TRIES_FINE;
    }
    look_for_stall(live, now_us);
    if (live_cost_us(live) >= limits->cpu_us) {
        snprintf(words, size, "%" PRIu64 " ms of CPU are over",
                 limits->cpu_us / 1000);
        return TRIES_SPUN;
    }
    snprintf(words, size, "no answer in %" PRIu64 " ms",
             limits->wall_us / 1000);
    return now_us - live->since_us >= limits->wall_us ? TRIES_HUNG : TRIES_FINE;
}

/* A task has one thread: its CPU time is not over before as much time has
 * passed. */
uint64_t
live_next_check_us(const struct live *live, const struct tries_limits *limits,
                   uint64_t now_us)
{
    if (live->ending)
        return UINT64_MAX;
    if (!live->running)
        return now_us + REST_CHECK_US;
    uint64_t used_us = memctx_min(live_cost_us(live), limits->cpu_us);
    return memctx_min(live->since_us + limits->wall_us,
                      now_us + (limits->cpu_us - used_us));
}
