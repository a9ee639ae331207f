/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The monotonic clock, in the forms in which the agent needs it. */
#ifndef MEMCTXD_CLOCKS_H
#define MEMCTXD_CLOCKS_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Microseconds of `id`: CLOCK_MONOTONIC, or CPU time of a thread. */
static inline uint64_t
clocks_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static inline uint64_t
clocks_now_ms(void)
{
    return clocks_us(CLOCK_MONOTONIC) / 1000;
}

/* The moment in wait_ms from now, for a condition of clocks_init_cond(). */
static inline struct timespec
clocks_deadline(uint64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + wait_ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    return until;
}

/* A condition whose timed waits end by the monotonic clock. */
static inline void
clocks_init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

#endif
