/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The monotonic clock in the hands of a test: whoever asks this process for it
 * with clock_gettime(2) gets the answer from here. Timers and waits are the
 * kernel's and go on. Include it in the test's own file only. */
#ifndef MEMCTX_TESTS_TESTCLOCK_H
#define MEMCTX_TESTS_TESTCLOCK_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* 0: the clock runs; else it shows so much, us. */
static inline _Atomic uint64_t *
testclock_stopped_us(void)
{
    static _Atomic uint64_t stopped_us;
    return &stopped_us;
}

int
clock_gettime(clockid_t id, struct timespec *ret)
{
    uint64_t us = atomic_load(testclock_stopped_us());
    if (id != CLOCK_MONOTONIC || us == 0)
        return (int)syscall(SYS_clock_gettime, id, ret);
    *ret = (struct timespec){.tv_sec = (time_t)(us / 1000000),
                             .tv_nsec = (long)(us % 1000000 * 1000)};
    return 0;
}

/* From now on it moves only when it is told to. */
static inline void
testclock_stop(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    atomic_store(testclock_stopped_us(),
                 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

/* It has been stopped. */
static inline void
testclock_add_us(uint64_t us)
{
    atomic_fetch_add(testclock_stopped_us(), us);
}

static inline void
testclock_start(void)
{
    atomic_store(testclock_stopped_us(), 0);
}

#endif
