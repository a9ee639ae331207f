/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tries each candidate layout and tells which one the kernel proves. */
#include "search/layouts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "search/guests.h"
#include "search/revalidate.h"
#include "search/mapped.h"
#include "search/split.h"

#define NONE MEMCTX_LAYOUTS_MAX

static_assert(MEMCTX_LAYOUTS_MAX == 2, "one is weighed against the other");

struct memctx_layouts {
    struct memctx_work work; /* of the call under way */
    bool (*is_over)(void *arg);
    void *over_arg;
    size_t n;
    struct memctx_rammap *maps[MEMCTX_LAYOUTS_MAX]; /* charged to work */
    struct memctx_bootstrap *bootstraps[MEMCTX_LAYOUTS_MAX];
    size_t winner; /* found the kernel of the last successful try */
    size_t layout; /* that is right for it */
    enum memctx_layout_proof proof;
};

/* One try in all layouts. */
struct round {
    struct memctx_bootstrap_result results[MEMCTX_LAYOUTS_MAX];
    struct memctx_error errors[MEMCTX_LAYOUTS_MAX];
    bool failed[MEMCTX_LAYOUTS_MAX];
    size_t n; /* that were tried */
};

int
memctx_layouts_create(const struct memctx_rammap *const *maps, size_t n,
                      struct memctx_layouts **ret, struct memctx_error *err)
{
    struct memctx_layouts *layouts = calloc(1, sizeof(*layouts));
    if (layouts == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (size_t i = 0; i < n; i++) {
        layouts->n++;
        if (memctx_rammap_create_charged(maps[i], &layouts->work,
                                         &layouts->maps[i], err) < 0 ||
            memctx_bootstrap_create(&layouts->bootstraps[i], err) < 0) {
            memctx_layouts_destroy(layouts);
            return -1;
        }
    }
    *ret = layouts;
    return 0;
}

void
memctx_layouts_destroy(struct memctx_layouts *layouts)
{
    if (layouts == NULL)
        return;
    for (size_t i = 0; i < layouts->n; i++) {
        memctx_bootstrap_destroy(layouts->bootstraps[i]);
        memctx_rammap_destroy(layouts->maps[i]);
    }
    free(layouts);
}

void
memctx_layouts_new_boot(struct memctx_layouts *layouts)
{
    for (size_t i = 0; i < layouts->n; i++)
        memctx_bootstrap_new_boot(layouts->bootstraps[i]);
    layouts->winner = 0;
}

void
memctx_layouts_set_over(struct memctx_layouts *layouts,
                        bool (*is_over)(void *arg), void *arg)
{
    layouts->is_over = is_over;
    layouts->over_arg = arg;
}

uint64_t
memctx_layouts_steps(uint64_t bytes, bool all)
{
    return (UINT64_C(1) << (all ? 24 : 18)) + 2 * (bytes / MEMCTX_PAGE_SIZE);
}

/* A call that reads so much begins. */
static void
begin(struct memctx_layouts *c, uint64_t bytes, bool all)
{
    memctx_work_begin(&c->work, memctx_layouts_steps(bytes, all), c->is_over,
                      c->over_arg);
}

/* The first candidate that found a kernel, or has one pending; NONE. */
static size_t
first_found(const struct round *r)
{
    size_t i = 0;
    while (i < r->n && r->failed[i])
        i++;
    return i < r->n ? i : NONE;
}

static size_t
first_pending(const struct round *r)
{
    size_t i = 0;
    while (i < r->n && !r->results[i].pending)
        i++;
    return i < r->n ? i : NONE;
}

/* What is no matter of layouts: the guest left, or we have no memory. */
static bool
is_over(const struct round *r, size_t i)
{
    return r->failed[i] && r->errors[i].kind != MEMCTX_RETRY;
}

/* Nothing shows which of two kernels in a paused guest runs, so each candidate
 * must have its say; else the first kernel that is proven counts. */
static void
run_round(struct memctx_layouts *c,
          const struct memctx_bootstrap_request *request, struct round *r)
{
    struct memctx_bootstrap_request part = *request;
    /* A guest whose layout is not known costs no more than another. */
    part.budget_bytes /= c->n;
    for (size_t i = 0; i < c->n; i++) {
        r->errors[i] = (struct memctx_error)MEMCTX_ERROR_INIT;
        r->failed[i] = memctx_bootstrap_try(c->bootstraps[i], c->maps[i], &part,
                                            &r->results[i], &r->errors[i]) < 0;
        r->n = i + 1;
        if (is_over(r, i) || (!r->failed[i] && !request->paused))
            return;
    }
}

/* Whose failure to tell: one that ends it all, or of a kernel that may yet show
 * that it runs, or that of the likeliest layout. */
static size_t
choose_failure(const struct round *r)
{
    size_t last = r->n - 1;
    size_t pending = first_pending(r);
    if (is_over(r, last))
        return last;
    return pending != NONE ? pending : 0;
}

static int
give_up(const struct round *r, struct memctx_layouts_result *ret,
        struct memctx_error *err)
{
    size_t told = choose_failure(r);
    uint64_t bytes_read = ret->found.bytes_read;
    ret->found = r->results[told];
    ret->found.bytes_read = bytes_read;
    ret->layout = told;
    return memctx_error_pass(err, &r->errors[told]);
}

/* Two layouts that show different kernels: at most one of them can be right,
 * and nothing tells which. */
static int
check_agreement(const struct round *r, size_t winner, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &r->results[winner].kernel;
    for (size_t i = winner + 1; i < r->n; i++) {
        const struct memctx_kernel *other = &r->results[i].kernel;
        if (!r->failed[i] && !memctx_kernel_is_same(kernel, other))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "kernel %s in one possible layout of RAM "
                                    "and %s in another; a paused guest cannot "
                                    "show which one runs",
                                    kernel->version, other->version);
    }
    return 0;
}

/* A kernel that is right in both is so because it lies where they agree; what
 * it maps beyond that may tell them apart. */
static void
weigh(struct memctx_layouts *c, const struct memctx_kernel *kernel)
{
    uint64_t first = memctx_mapped_only_in(c->maps[0], c->maps[1], kernel);
    uint64_t second = memctx_mapped_only_in(c->maps[1], c->maps[0], kernel);
    c->layout = memctx_mapped_decides(second, first) ? 1 : 0;
    c->proof = c->layout == 1 || memctx_mapped_decides(first, second)
                   ? MEMCTX_LAYOUT_PROVEN
                   : MEMCTX_LAYOUT_ASSUMED;
}

/* The kernel as it would have been found in the other layout. What the search
 * saw is elsewhere there; all else was reached through addresses that the
 * kernel itself uses. */
static struct memctx_kernel
move_kernel(const struct memctx_layouts *c, const struct memctx_kernel *kernel,
            size_t to)
{
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    const struct memctx_rammap *from = c->maps[1 - to];
    struct memctx_kernel moved = *kernel;
    moved.clue_gpa =
        memctx_rammap_translate(from, kernel->clue_gpa, c->maps[to]);
    if (guest->move != NULL)
        guest->move(&moved, from, c->maps[to]);
    return moved;
}

/* Where RAM ends that begins below 4 GiB. Extents are sorted. */
static uint64_t
low_of(const struct memctx_rammap *map)
{
    size_t n;
    const struct memctx_extent *extents = memctx_rammap_extents(map, &n);
    uint64_t low = 0;
    for (size_t i = 0; i < n && extents[i].gpa < 4 * MEMCTX_GIB; i++)
        low = extents[i].gpa + extents[i].size;
    return low;
}

/* Whatever may have moved RAM, the kernel was told by its firmware where that
 * is. */
static enum memctx_layout_proof
ask_kernel(struct memctx_layouts *c, const struct memctx_kernel *kernel)
{
    const struct memctx_rammap *map = c->maps[c->layout];
    uint64_t guesses[MEMCTX_SPLIT_GUESSES];
    begin(c, memctx_rammap_size(map), false);
    return memctx_split_judge(map, kernel, low_of(map), guesses) ==
                       MEMCTX_SPLIT_CONFIRMED &&
                   !memctx_work_is_over(&c->work)
               ? MEMCTX_LAYOUT_PROVEN
               : MEMCTX_LAYOUT_ASSUMED;
}

/* Nothing on the host made this layout doubtful, which does not mean that the
 * host knows of everything that moves RAM. */
static enum memctx_layout_proof
ask_for_doubt(struct memctx_layouts *c, const struct memctx_kernel *kernel)
{
    const struct memctx_rammap *map = c->maps[c->layout];
    begin(c, memctx_rammap_size(map), false);
    return memctx_split_is_elsewhere(map, kernel, low_of(map))
               ? MEMCTX_LAYOUT_ASSUMED
               : MEMCTX_LAYOUT_CERTAIN;
}

/* Of two layouts, in which is this kernel right? *kernel becomes what it is
 * there. */
static void
choose(struct memctx_layouts *c, struct memctx_kernel *kernel)
{
    size_t other = 1 - c->winner;
    const struct memctx_kernel moved = move_kernel(c, kernel, other);
    c->proof = MEMCTX_LAYOUT_PROVEN;
    begin(c, 0, false);
    /* What was not looked at to its end proves nothing. */
    if (memctx_revalidate(c->maps[other], &moved, NULL) == 0)
        weigh(c, kernel);
    else if (memctx_work_is_over(&c->work))
        c->proof = MEMCTX_LAYOUT_ASSUMED;
    if (c->layout == other)
        *kernel = moved;
}

/* In which layout is this kernel right, and who says so? */
static void
settle(struct memctx_layouts *c, struct memctx_kernel *kernel)
{
    c->layout = c->winner;
    if (c->n > 1)
        choose(c, kernel);
    if (memctx_rammap_is_doubted(c->maps[0]))
        c->proof = ask_kernel(c, kernel);
    else if (c->n == 1)
        c->proof = ask_for_doubt(c, kernel);
}

/* The kernel that one candidate has found is that of the guest. */
static void
take_winner(struct memctx_layouts *c, const struct round *r, size_t winner,
            struct memctx_layouts_result *ret)
{
    uint64_t bytes_read = ret->found.bytes_read;
    c->winner = winner;
    ret->found = r->results[winner];
    settle(c, &ret->found.kernel);
    ret->found.bytes_read = bytes_read;
    ret->layout = c->layout;
    ret->proof = c->proof;
}

int
memctx_layouts_try(struct memctx_layouts *layouts,
                   const struct memctx_bootstrap_request *request,
                   struct memctx_layouts_result *ret, struct memctx_error *err)
{
    struct round r = {.n = 0};
    bool all = request->paused || request->budget_bytes == 0;
    memset(ret, 0, sizeof(*ret));
    begin(layouts,
          all ? memctx_rammap_size(layouts->maps[0]) : request->budget_bytes,
          all);
    run_round(layouts, request, &r);
    for (size_t i = 0; i < r.n; i++)
        ret->found.bytes_read += r.results[i].bytes_read;
    size_t winner = first_found(&r);
    if (winner == NONE || is_over(&r, r.n - 1))
        return give_up(&r, ret, err);
    if (check_agreement(&r, winner, err) < 0)
        return -1;
    take_winner(layouts, &r, winner, ret);
    return 0;
}

void
memctx_layouts_adopt(struct memctx_layouts *layouts,
                     const struct memctx_kernel *kernel, size_t layout)
{
    layouts->winner = layout;
    layouts->layout = layout;
    layouts->proof =
        layouts->n == 1 && !memctx_rammap_is_doubted(layouts->maps[0])
            ? MEMCTX_LAYOUT_CERTAIN
            : MEMCTX_LAYOUT_ASSUMED;
    memctx_bootstrap_adopt(layouts->bootstraps[layout], kernel);
}

int
memctx_layouts_watch(struct memctx_layouts *layouts,
                     const struct memctx_bootstrap_request *request,
                     struct memctx_layouts_result *ret,
                     struct memctx_error *err)
{
    struct round r = {.n = 0};
    memset(ret, 0, sizeof(*ret));
    begin(layouts, 0, false);
    for (size_t i = 0; i < layouts->n && first_found(&r) == NONE; i++) {
        r.errors[i] = (struct memctx_error)MEMCTX_ERROR_INIT;
        r.failed[i] =
            memctx_bootstrap_watch(layouts->bootstraps[i], layouts->maps[i],
                                   request, &r.results[i], &r.errors[i]) < 0;
        r.n = i + 1;
    }
    size_t winner = first_found(&r);
    if (winner == NONE)
        return give_up(&r, ret, err);
    take_winner(layouts, &r, winner, ret);
    return 0;
}

int
memctx_layouts_verify(struct memctx_layouts *layouts,
                      const struct memctx_bootstrap_request *request,
                      struct memctx_layouts_result *ret,
                      struct memctx_error *err)
{
    size_t i = layouts->winner;
    memset(ret, 0, sizeof(*ret));
    ret->layout = layouts->layout;
    ret->proof = layouts->proof;
    begin(layouts, MEMCTX_BOOTSTRAP_LOOK_BYTES, false);
    if (memctx_bootstrap_verify(layouts->bootstraps[i], layouts->maps[i],
                                request, &ret->found, err) < 0)
        return -1;
    if (ret->layout != i)
        ret->found.kernel =
            move_kernel(layouts, &ret->found.kernel, ret->layout);
    return 0;
}

int
memctx_layouts_words(struct memctx_layouts *layouts, uint64_t now_us,
                     struct memctx_words *ret, struct memctx_error *err)
{
    size_t i = layouts->winner;
    begin(layouts, 0, false);
    return memctx_bootstrap_words(layouts->bootstraps[i], layouts->maps[i],
                                  now_us, ret, err);
}
