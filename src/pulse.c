/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Watches the clocks that a guest's ops name; knows no operating system. */
#include "pulse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"
#include "guests.h"

#define WINDOW (64 * MEMCTX_KIB) /* clocks so near are read at once */

/* A tick that was stopped, or a guest that was held up, catches up at once. */
#define CATCH_UP_S 60u

struct memctx_pulse {
    uint64_t since_us;
    bool alive;
    uint64_t per_second;
    uint64_t least;
    size_t n_clocks;
    struct memctx_clock clocks[];
};

int
memctx_pulse_create(const struct memctx_rammap *map,
                    const struct memctx_kernel *kernel, uint64_t now_us,
                    struct memctx_pulse **ret, struct memctx_error *err)
{
    const struct memctx_guest_ops *guest = memctx_guests_find(kernel->os);
    assert(guest != NULL && "a kernel was found by somebody");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_clocks *found = malloc(sizeof(*found));
    if (found == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    if (guest->clocks(map, kernel, found, err) < 0)
        return -1;
    size_t size = found->n * sizeof(found->clock[0]);
    struct memctx_pulse *pulse = malloc(sizeof(*pulse) + size);
    if (pulse == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    *pulse = (struct memctx_pulse){.since_us = now_us,
                                   .per_second = found->per_second,
                                   .least = found->least,
                                   .n_clocks = found->n};
    memcpy(pulse->clocks, found->clock, size);
    *ret = pulse;
    return 0;
}

void
memctx_pulse_destroy(struct memctx_pulse *pulse)
{
    free(pulse);
}

static bool
has_ticked(const struct memctx_pulse *pulse, const struct memctx_clock *clock,
           uint64_t value, uint64_t elapsed_us)
{
    uint64_t most;
    if (!memctx_mul(elapsed_us / 1000000 + CATCH_UP_S, pulse->per_second,
                    &most))
        most = UINT64_MAX;
    return value > clock->value && value - clock->value <= most;
}

/* How many clocks from the i-th on lie within one window of RAM. */
static size_t
count_near(const struct memctx_pulse *pulse, size_t i)
{
    uint64_t start = pulse->clocks[i].gpa;
    size_t n = 1;
    while (i + n < pulse->n_clocks &&
           memctx_range_in(pulse->clocks[i + n].gpa, 8, start, WINDOW))
        n++;
    return n;
}

/* Read n clocks that lie near each other, and compare. */
static int
check_near(struct memctx_pulse *pulse, struct memctx_clock *clocks, size_t n,
           const struct memctx_rammap *map, uint64_t elapsed_us,
           struct memctx_error *err)
{
    unsigned char window[WINDOW];
    uint64_t start = clocks[0].gpa;
    size_t len = (size_t)(clocks[n - 1].gpa - start) + 8;
    if (memctx_rammap_read(map, start, window, len, err) < 0)
        return -1;
    for (size_t i = 0; i < n && !pulse->alive; i++) {
        uint64_t value = memctx_le64(window + (clocks[i].gpa - start));
        pulse->alive = has_ticked(pulse, &clocks[i], value, elapsed_us);
        /* Another kernel took the old one's place and counts anew. */
        if (value < clocks[i].value && value >= pulse->least)
            clocks[i].value = value;
    }
    return 0;
}

int
memctx_pulse_check(struct memctx_pulse *pulse, const struct memctx_rammap *map,
                   uint64_t now_us, bool *alive, struct memctx_error *err)
{
    uint64_t elapsed_us = now_us - pulse->since_us;
    for (size_t i = 0; i < pulse->n_clocks && !pulse->alive;) {
        size_t n = count_near(pulse, i);
        if (check_near(pulse, &pulse->clocks[i], n, map, elapsed_us, err) < 0)
            return -1;
        i += n;
    }
    *alive = pulse->alive;
    return 0;
}
