/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* When the next try at one guest is made, and what it may read. Pure: the
 * clock is the caller's, in microseconds of any beginning.
 *
 * Two laws. A delay grows from one failed try to the next; not in the first
 * half minute of a boot, in which most kernels come, while tries are cheap. And
 * so many times the CPU time of tries passes without any, but for a
 * credit: a kernel that is coming up makes a few of them dear. The first law
 * begins anew with each boot; the second never does, or a guest that resets
 * itself all the time would pay nothing. */
#ifndef MEMCTXD_PACE_H
#define MEMCTXD_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/backoff.h"

struct pace {
    struct memctx_backoff_limits limits;
    unsigned attempt;    /* tries since the guest booted */
    unsigned grown;      /* those of them after which delays grew */
    unsigned young;      /* so many may be followed by the first delay */
    uint64_t tries;      /* all of them */
    unsigned faults;     /* tries in a row that a prober has spoilt */
    bool pending;        /* the last try found a kernel that must be seen
                            running: its clocks are read in between */
    unsigned watches;    /* so often, since that try */
    uint64_t ns_per_mib; /* what reading RAM costs */
    uint64_t read_us;    /* used since that was measured, */
    uint64_t read_bytes; /* for these; less than a MiB */
    uint64_t free_us;    /* what tries have cost is paid for by then, without
                            the credit */
    uint64_t try_us;     /* the next try is due */
    uint64_t watch_cost_us;
};

void pace_init(struct pace *pace, const struct memctx_backoff_limits *limits);

/* The guest boots anew, or its RAM is another: tries count from the beginning.
 */
void pace_restart(struct pace *pace);

/* The same for a guest that nobody expects to boot soon: delays grow at once.
 */
void pace_restart_late(struct pace *pace);

/* A try begins. */
void pace_begin(struct pace *pace, uint64_t now_us);

/* CPU time was used for this guest, on `bytes` of RAM. */
void pace_charge(struct pace *pace, uint64_t cost_us, uint64_t now_us);
void pace_measure(struct pace *pace, uint64_t cost_us, uint64_t bytes);

/* Is more owed than the credit? Then a try waits. */
bool pace_is_early(const struct pace *pace, uint64_t now_us);

/* After a try or a watch that found nothing that runs. */
void pace_fail(struct pace *pace, bool pending, bool fault);

/* A watch took so long. */
void pace_watched(struct pace *pace, uint64_t cost_us);

/* Delay to what is to be done next, in us; > 0. */
uint64_t pace_next(struct pace *pace, uint64_t now_us);

/* ... which is a watch, and no try. */
bool pace_wants_watch(const struct pace *pace, uint64_t now_us);

/* What the try that has begun may read, in bytes. */
uint64_t pace_budget(const struct pace *pace);

#endif
