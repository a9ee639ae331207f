/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a prober may take for a task, and what it can do wrong. */
#ifndef MEMCTXD_LIMITS_H
#define MEMCTXD_LIMITS_H

#include <stdint.h>

enum tries_lane {
    TRIES_SHORT, /* tries: as many at once as there are places */
    TRIES_LONG,  /* looks at a whole guest: one at a time, beside those */
    TRIES_LIGHT, /* what waits more than it works: any number */
    TRIES_LANES
};

struct tries_limits {
    uint64_t cpu_us;  /* what a task may use, */
    uint64_t wall_us; /* and when it must have been answered */
};

/* By enum tries_lane. A try is to cost some milliseconds; a long look reads up
 * to 16 GiB. What is stopped, or waits for a file system, uses no CPU. */
#define TRIES_LIMITS                         \
    {                                        \
        [TRIES_SHORT] = {250000, 5000000},   \
        [TRIES_LONG] = {10000000, 60000000}, \
        [TRIES_LIGHT] = {250000, 8000000},   \
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

#endif
