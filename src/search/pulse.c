/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Watches the clocks that a guest's ops name; knows no operating system. */
#include "search/pulse.h"

#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "search/guests.h"

#define WINDOW (64 * MEMCTX_KIB) /* clocks so near are read at once */

struct clock {
    struct memctx_clock at;
    bool ticked; /* at the last look */
};

struct memctx_pulse {
    uint64_t since_us;
    uint64_t restarted_us; /* 0: never */
    bool alive;
    struct memctx_words law; /* its words are not used */
    uint32_t likely_align;   /* as in struct memctx_clocks; not 0 */
    size_t n_clocks;
    struct clock clocks[];
};

int
memctx_pulse_create(const struct memctx_rammap *map,
                    const struct memctx_kernel *kernel, uint64_t now_us,
                    struct memctx_pulse **ret, struct memctx_error *err)
{
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    assert(guest != NULL && "a kernel was found by somebody");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_clocks *found = calloc(1, sizeof(*found));
    if (found == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (guest->clocks(map, kernel, found, err) < 0)
        return -1;
    struct memctx_pulse *pulse =
        malloc(sizeof(*pulse) + found->n * sizeof(pulse->clocks[0]));
    if (pulse == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *pulse = (struct memctx_pulse){
        .since_us = now_us,
        .law.per_second = found->per_second,
        .law.least = found->least,
        .law.panic_gpa = found->panic_gpa,
        .likely_align = (uint32_t)memctx_max(found->likely_align, 1),
        .n_clocks = found->n};
    for (size_t i = 0; i < found->n; i++)
        pulse->clocks[i] = (struct clock){.at = found->clock[i]};
    *ret = pulse;
    return 0;
}

void
memctx_pulse_destroy(struct memctx_pulse *pulse)
{
    free(pulse);
}

/* How many clocks from the i-th on lie within one window of RAM. */
static size_t
count_near(const struct memctx_pulse *pulse, size_t i)
{
    uint64_t start = pulse->clocks[i].at.gpa;
    size_t n = 1;
    while (i + n < pulse->n_clocks &&
           memctx_range_in(pulse->clocks[i + n].at.gpa, 8, start, WINDOW))
        n++;
    return n;
}

typedef void clock_fn(struct memctx_pulse *pulse, struct clock *clock,
                      uint64_t value, uint64_t elapsed_us);

/* Read every clock, those that lie near each other at once. */
static int
for_each_clock(struct memctx_pulse *pulse, const struct memctx_rammap *map,
               uint64_t elapsed_us, clock_fn *visit, struct memctx_error *err)
{
    unsigned char window[WINDOW];
    size_t n;
    for (size_t i = 0; i < pulse->n_clocks; i += n) {
        n = count_near(pulse, i);
        struct clock *clocks = &pulse->clocks[i];
        uint64_t start = clocks[0].at.gpa;
        size_t len = (size_t)(clocks[n - 1].at.gpa - start) + 8;
        if (memctx_rammap_read(map, start, window, len, err) < 0)
            return -1;
        for (size_t k = 0; k < n; k++)
            visit(pulse, &clocks[k],
                  memctx_le64(window + (clocks[k].at.gpa - start)), elapsed_us);
    }
    return 0;
}

/* A word that has moved plausibly is taken for a clock, and its kernel for
 * alive. One of thousands may move by chance: memctx_words_step() asks for a
 * rate that a clock can have. */
static void
compare(struct memctx_pulse *pulse, struct clock *clock, uint64_t value,
        uint64_t elapsed_us)
{
    enum memctx_step step =
        memctx_words_step(&pulse->law, clock->at.value, value, elapsed_us);
    clock->ticked = step == MEMCTX_STEP_MOVES;
    pulse->alive = pulse->alive || clock->ticked;
    /* Another kernel took the old one's place and counts anew. */
    if (step == MEMCTX_STEP_BACK)
        pulse->restarted_us = pulse->since_us + elapsed_us;
    if (step == MEMCTX_STEP_BACK || step == MEMCTX_STEP_MOVES)
        clock->at.value = value;
}

/* Once some have ticked, the others are no clocks. Reading them again would
 * only cost, and give chance another try. */
static void
keep_ticked(struct memctx_pulse *pulse)
{
    size_t kept = 0;
    for (size_t i = 0; i < pulse->n_clocks; i++) {
        if (pulse->clocks[i].ticked)
            pulse->clocks[kept++] = pulse->clocks[i];
    }
    pulse->n_clocks = kept;
}

int
memctx_pulse_check(struct memctx_pulse *pulse, const struct memctx_rammap *map,
                   uint64_t now_us, bool *alive, struct memctx_error *err)
{
    if (!pulse->alive) {
        if (for_each_clock(pulse, map, now_us - pulse->since_us, compare, err) <
            0)
            return -1;
        if (pulse->alive)
            keep_ticked(pulse);
    }
    *alive = pulse->alive;
    return 0;
}

static void
take_value(struct memctx_pulse *pulse, struct clock *clock, uint64_t value,
           uint64_t elapsed_us)
{
    (void)pulse;
    (void)elapsed_us;
    clock->at.value = value;
}

int
memctx_pulse_restart(struct memctx_pulse *pulse,
                     const struct memctx_rammap *map, uint64_t now_us,
                     struct memctx_error *err)
{
    pulse->alive = false;
    pulse->since_us = now_us;
    return for_each_clock(pulse, map, 0, take_value, err);
}

uint64_t
memctx_pulse_restarted_us(const struct memctx_pulse *pulse)
{
    return pulse->restarted_us;
}

/* Those that lie where the kernel puts its clock, or the others, as many as
 * there is room for. The heartbeat has few words, so the best come first. */
static void
take_words(const struct memctx_pulse *pulse, bool likely,
           struct memctx_words *ret)
{
    for (size_t i = 0; i < pulse->n_clocks && ret->n < MEMCTX_WORDS_MAX; i++) {
        const struct memctx_clock *clock = &pulse->clocks[i].at;
        if ((clock->gpa % pulse->likely_align == 0) == likely)
            ret->word[ret->n++] = *clock;
    }
}

void
memctx_pulse_words(const struct memctx_pulse *pulse, struct memctx_words *ret)
{
    *ret = pulse->law;
    ret->n = 0;
    if (!pulse->alive)
        return;
    take_words(pulse, true, ret);
    take_words(pulse, false, ret);
}
