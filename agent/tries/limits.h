/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a prober may take for a task, what it can do wrong, and what comes of
 * that. */
#ifndef MEMCTXD_LIMITS_H
#define MEMCTXD_LIMITS_H

#include <stdint.h>

#include "base/error.h"
#include "wire/probe.h"

struct spawner;

enum tries_lane {
    TRIES_SHORT, /* tries: as many at once as there are places */
    TRIES_LONG,  /* looks at a whole guest: one at a time, beside those */
    TRIES_LIGHT, /* what hardly uses the CPU: any number */
    TRIES_LAST,  /* logs of kernels that have ended: any number. RAM that
                    nobody else needs any more is held meanwhile, and memory may
                    be overwritten: it must be soon */
    TRIES_LANES
};

struct tries_limits {
    uint64_t cpu_us;  /* what a task may use, */
    uint64_t wall_us; /* and when it must have been answered */
};

/* By enum tries_lane. A try is to cost some milliseconds; a long look reads up
 * to 16 GiB. What is stopped, or waits for a file system, uses no CPU. */
#define TRIES_LIMITS                                                         \
    {                                                                        \
        [TRIES_SHORT] = {250000, 5000000},                                   \
        [TRIES_LONG] = {10000000, 60000000},                                 \
        [TRIES_LIGHT] = {250000, 8000000}, [TRIES_LAST] = {250000, 1000000}, \
    }

/* The CPU time that a prober is told: one that looks at it ends before it is
 * ended, and keeps how far it came. */
static inline uint64_t
tries_limits_told(const struct tries_limits *limits)
{
    return limits->cpu_us - limits->cpu_us / 4;
}

enum tries_fault {
    TRIES_FINE,
    TRIES_NOT_STARTED,
    TRIES_CRASHED,
    TRIES_SPUN,    /* more CPU time than the limit */
    TRIES_HUNG,    /* no answer in time */
    TRIES_LIED,    /* an answer that cannot be one */
    TRIES_FLOODED, /* more than was asked for */
    TRIES_FAULTS
};

/* The fault in a word or two, behind "the prober": "crashed". */
const char *tries_fault_name(enum tries_fault fault);

struct tries_outcome {
    enum tries_fault fault;
    struct memctx_error why;           /* a fault: what happened; RETRY */
    struct memctx_probe_answer answer; /* FINE */
    uint64_t cost_us;                  /* CPU time of the task */
};

struct tries_config {
    struct spawner *spawner; /* must outlive the tries */
    const char *program;     /* memctx-prober; must stay */
    unsigned places;         /* short tries at once */
    unsigned live_max; /* probers at once; of those that rest, the one that
                          has done so for longest ends for a new one */
    struct tries_limits limits[TRIES_LANES];
};

#endif
