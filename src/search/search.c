/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Decides which bytes of RAM to look at next. */
#include "search/search.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "search/attempt.h"
#include "search/guests.h"
#include "search/hints.h"
#include "search/holes.h"

#define ROUNDS_BEFORE_GUESSING 2 /* one of each kind found nothing */

struct memctx_search {
    struct memctx_holes holes; /* never looked at */
    bool has_holes;            /* they are set up */
    struct memctx_hints hints[MEMCTX_OSES];
    uint64_t likely_cursor[MEMCTX_OSES]; /* bytes into the likely part */
    uint64_t cursor_gpa; /* the round through all RAM goes on here */
    unsigned rounds;     /* ended so far */
    unsigned char block[MEMCTX_ATTEMPT_BLOCK + MEMCTX_ATTEMPT_OVERLAP];
};

int
memctx_search_create(struct memctx_search **ret, struct memctx_error *err)
{
    struct memctx_search *search = calloc(1, sizeof(*search));
    if (search == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *ret = search;
    return 0;
}

void
memctx_search_destroy(struct memctx_search *search)
{
    free(search);
}

void
memctx_search_reset(struct memctx_search *search)
{
    search->has_holes = false;
    search->cursor_gpa = 0;
    search->rounds = 0;
}

void
memctx_search_hint(struct memctx_search *search,
                   const struct memctx_kernel *kernel)
{
    memctx_hints_add(&search->hints[kernel->os], kernel->clue_gpa, true);
}

/* Does a system's likely part of RAM concern this one? */
static bool
is_likely(const struct memctx_guest_ops *guest, const struct memctx_rammap *map)
{
    size_t n;
    const struct memctx_extent *first = memctx_rammap_extents(map, &n);
    return guest->likely.size > 0 &&
           (!guest->likely_at_start ||
            (n > 0 && first->gpa == guest->likely.gpa));
}

/* A part of RAM in which clues often are, on from where the last try stopped,
 * for half of what is left. */
static void
scan_likely(struct memctx_search *s, struct memctx_attempt *a)
{
    for (enum memctx_os os = MEMCTX_OS_UNKNOWN + 1;
         os < MEMCTX_OSES && !memctx_attempt_is_done(a); os++) {
        const struct memctx_guest_ops *guest = memctx_guests[os];
        struct memctx_range range = guest->likely;
        if (!is_likely(guest, a->map))
            continue;
        a->guess = guest->likely_at_start;
        uint64_t *cursor = &s->likely_cursor[os];
        uint64_t half = memctx_round_up(a->left_bytes / 2, MEMCTX_PAGE_SIZE);
        uint64_t len = memctx_min(half, range.size - *cursor);
        memctx_attempt_scan_data(a, range.gpa + *cursor,
                                 range.gpa + *cursor + len);
        *cursor += len;
        if (*cursor >= range.size)
            *cursor = 0;
        a->guess = false;
    }
}

/* RAM that was a hole when it was last asked for and has data now is where a
 * booting kernel has just put something. */
static void
scan_fresh(struct memctx_search *s, struct memctx_attempt *a)
{
    if (!s->has_holes)
        memctx_holes_fill(&s->holes, a->map);
    s->has_holes = true;
    /* Bounded by MEMCTX_HOLES_MAX: a turn passes a hole, or cuts one. */
    for (size_t at = 0; at < s->holes.n && !memctx_attempt_is_over(a);) {
        struct memctx_range fresh;
        if (!memctx_holes_find_data(&s->holes, at, a->map, &fresh)) {
            at++;
            continue;
        }
        uint64_t reached =
            memctx_attempt_scan(a, fresh.gpa, fresh.gpa + fresh.size);
        at = memctx_holes_cut(&s->holes, at, fresh.gpa, reached);
    }
}

/* The round through all RAM, on from the cursor. Every second round is a
 * thorough one, for the clues of old kernels. */
static void
scan_round(struct memctx_search *s, struct memctx_attempt *a)
{
    uint64_t end_gpa = memctx_rammap_end(a->map);
    a->thorough = s->rounds % 2 == 1;
    a->guess = s->rounds >= ROUNDS_BEFORE_GUESSING;
    s->cursor_gpa = memctx_attempt_scan_data(a, s->cursor_gpa, end_gpa);
    if (s->cursor_gpa == end_gpa) {
        s->cursor_gpa = 0;
        s->rounds++;
    }
}

static void
try_some(struct memctx_search *s, struct memctx_attempt *a)
{
    memctx_attempt_scan_hints(a);
    memctx_attempt_follow(a);
    /* A guest that boots touches more RAM than a try may read: the round goes
     * on all the same. */
    uint64_t for_round = a->left_bytes / 2;
    a->left_bytes -= for_round;
    scan_likely(s, a);
    scan_fresh(s, a);
    a->left_bytes += for_round;
    if (!memctx_attempt_is_over(a))
        scan_round(s, a);
}

/* All RAM once for clues on page starts. Only when there is no kernel, or every
 * one is wanted, once more where there may be clues of kernels that say nothing
 * of themselves; and, only when there is none, of old kernels, which may lie
 * anywhere. */
static void
try_all(struct memctx_attempt *a)
{
    memctx_attempt_scan_data(a, 0, memctx_rammap_end(a->map));
    if ((a->result->n_kernels > 0 && !a->request->every) ||
        memctx_attempt_is_done(a))
        return;
    a->thorough = a->result->n_kernels == 0;
    a->guess = true;
    if (a->n_again > 0)
        memctx_attempt_tell(
            a, &(struct memctx_trace_step){.kind = MEMCTX_TRACE_AGAIN});
    for (size_t i = 0; i < a->n_again && !memctx_attempt_is_done(a); i++)
        memctx_attempt_scan_data(a, a->again[i].gpa,
                                 a->again[i].gpa + a->again[i].size);
}

/* Two boots may have had their clock in one place, and then tell the same time;
 * but they began at different ones. */
static bool
is_later(const struct memctx_kernel *a, const struct memctx_kernel *b)
{
    const struct memctx_wall_clock *ca = &a->wall_clock;
    const struct memctx_wall_clock *cb = &b->wall_clock;
    if (ca->time != cb->time)
        return ca->time > cb->time;
    return ca->booted > cb->booted;
}

size_t
memctx_search_latest(const struct memctx_search_result *result)
{
    size_t latest = 0;
    for (size_t i = 1; i < result->n_kernels; i++) {
        if (is_later(&result->kernels[i], &result->kernels[latest]))
            latest = i;
    }
    return latest;
}

int
memctx_search_try(struct memctx_search *search, const struct memctx_rammap *map,
                  const struct memctx_search_request *request,
                  struct memctx_search_result *ret, struct memctx_error *err)
{
    struct memctx_attempt attempt;
    memctx_attempt_init(&attempt, map, request, search->hints, search->block,
                        ret);
    if (memctx_rammap_check(map, err) < 0)
        return -1;
    if (request->all)
        try_all(&attempt);
    else
        try_some(search, &attempt);
    return memctx_attempt_end(&attempt, err);
}
