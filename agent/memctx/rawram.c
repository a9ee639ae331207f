/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tries one layout after the other until a kernel confirms it. */
#include "memctx/rawram.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "search/layouts.h"
#include "search/mapped.h"
#include "search/split.h"

#define CANDIDATES_MAX (1 + MEMCTX_SPLITS_MAX + MEMCTX_SPLIT_GUESSES)

static void
cleanup_search(struct memctx_search **search)
{
    memctx_search_destroy(*search);
}

int
rawram_look(const struct memctx_rammap *map, uint64_t low, struct trail *trail,
            struct memctx_search_result *result, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct memctx_trace trace;
    MEMCTX_CLEANUP(cleanup_search) struct memctx_search *search = NULL;
    MEMCTX_CLEANUP(memctx_rammap_cleanup) struct memctx_rammap *charged = NULL;
    const struct memctx_search_request request = {
        .all = true, .every = true, .trace = &trace};
    struct memctx_work work;
    memctx_work_begin(
        &work, memctx_layouts_steps(memctx_rammap_size(map), true), NULL, NULL);
    if (memctx_search_create(&search, err) < 0 ||
        memctx_rammap_create_charged(map, &work, &charged, err) < 0)
        return -1;
    trail_begin(trail, map, low, &trace);
    int failed = memctx_search_try(search, charged, &request, result, &why);
    trail_end(trail, failed < 0 ? &why : NULL);
    return failed < 0 ? memctx_error_pass(err, &why) : 0;
}

/* Layouts to be tried, by where they are split. */
struct splits {
    uint64_t low[CANDIDATES_MAX];
    size_t n;
};

static void
add_split(struct splits *splits, uint64_t low)
{
    bool known = low == 0;
    for (size_t i = 0; i < splits->n; i++)
        known = known || splits->low[i] == low;
    if (!known && splits->n < CANDIDATES_MAX)
        splits->low[splits->n++] = low;
}

static void
add_stock(struct splits *splits, uint64_t size)
{
    uint64_t stock[MEMCTX_SPLITS_MAX];
    size_t n = memctx_split_stock(size, stock);
    for (size_t i = 0; i < n; i++)
        add_split(splits, stock[i]);
}

/* The same backend as `of`, split at `low`. The caller destroys *ret. */
static int
make_map(const struct memctx_rammap *of, uint64_t low,
         struct memctx_rammap **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_rammap_cleanup) struct memctx_rammap *map = NULL;
    uint64_t size = memctx_rammap_backend_size(of, 0);
    const struct memctx_extent below = {0, low, 0, 0};
    const struct memctx_extent above = {4 * MEMCTX_GIB, size - low, low, 0};
    if (memctx_rammap_create_beside(of, &map, err) < 0 ||
        memctx_rammap_add_extent(map, &below, err) < 0 ||
        (above.size > 0 && memctx_rammap_add_extent(map, &above, err) < 0))
        return -1;
    *ret = memctx_steal_ptr(&map);
    return 0;
}

/* What a kernel that was found says of the layout that it was found in. */
struct found {
    struct trail *trail; /* of the whole search */
    struct memctx_search_result result;
    struct memctx_rammap *map; /* owned */
    uint64_t low;
    enum memctx_split_word word;
    uint64_t guesses[MEMCTX_SPLIT_GUESSES];
};

static void
found_deinit(struct found *found)
{
    memctx_rammap_destroy(found->map);
}

static void
found_cleanup(struct found **found)
{
    if (*found != NULL)
        found_deinit(*found);
    free(*found);
}

static const struct memctx_kernel *
chosen(const struct memctx_search_result *result)
{
    return &result->kernels[memctx_search_latest(result)];
}

/* Going through a kernel's tables costs, whatever stands in them: a map that
 * pays for it. The caller destroys it; NULL: out of memory. */
static struct memctx_rammap *
charge(const struct memctx_rammap *map, struct memctx_work *work)
{
    struct memctx_rammap *charged;
    memctx_work_begin(work, memctx_layouts_steps(0, false), NULL, NULL);
    return memctx_rammap_create_charged(map, work, &charged, NULL) == 0
               ? charged
               : NULL;
}

static enum memctx_split_word
judge(const struct memctx_rammap *map, const struct memctx_kernel *kernel,
      uint64_t low, uint64_t guesses[MEMCTX_SPLIT_GUESSES])
{
    struct memctx_work work;
    MEMCTX_CLEANUP(memctx_rammap_cleanup)
    struct memctx_rammap *charged = charge(map, &work);
    return charged != NULL ? memctx_split_judge(charged, kernel, low, guesses)
                           : MEMCTX_SPLIT_UNTOLD;
}

/* Bytes of RAM that the kernel maps in this layout, and not in the other. */
static uint64_t
count_only_in(const struct memctx_rammap *map,
              const struct memctx_rammap *other,
              const struct memctx_kernel *kernel)
{
    struct memctx_work work;
    MEMCTX_CLEANUP(memctx_rammap_cleanup)
    struct memctx_rammap *charged = charge(map, &work);
    return charged != NULL ? memctx_mapped_only_in(charged, other, kernel) : 0;
}

static int
try_split(const struct memctx_rammap *of, uint64_t low, struct found *ret,
          struct memctx_error *err)
{
    ret->low = low;
    memctx_rammap_destroy(memctx_steal_ptr(&ret->map));
    if (make_map(of, low, &ret->map, err) < 0 ||
        rawram_look(ret->map, low, ret->trail, &ret->result, err) < 0)
        return -1;
    ret->word = judge(ret->map, chosen(&ret->result), low, ret->guesses);
    trail_judge(ret->trail, ret->word);
    return 0;
}

/* Does the kernel map RAM that this layout has, and none that the others have?
 * It tells of kernels without a direct map. */
static bool
is_likeliest(const struct found *found, const struct splits *splits,
             struct memctx_error *err)
{
    const struct memctx_kernel *kernel = chosen(&found->result);
    for (size_t i = 0; i < splits->n; i++) {
        MEMCTX_CLEANUP(memctx_rammap_cleanup)
        struct memctx_rammap *other = NULL;
        if (splits->low[i] == found->low)
            continue;
        if (make_map(found->map, splits->low[i], &other, err) < 0 ||
            !memctx_mapped_decides(count_only_in(found->map, other, kernel),
                                   count_only_in(other, found->map, kernel)))
            return false;
    }
    return splits->n > 1;
}

static enum memctx_layout_proof
weigh(const struct found *found, const struct splits *splits)
{
    bool usual = splits->n == 1; /* machines are split otherwise only when
                                    they are told to */
    if (found->word == MEMCTX_SPLIT_CONFIRMED)
        return MEMCTX_LAYOUT_PROVEN;
    if (found->word == MEMCTX_SPLIT_UNTOLD && usual)
        return MEMCTX_LAYOUT_CERTAIN;
    return found->word == MEMCTX_SPLIT_UNTOLD &&
                   is_likeliest(found, splits, NULL)
               ? MEMCTX_LAYOUT_PROVEN
               : MEMCTX_LAYOUT_ASSUMED;
}

/* Would the kernel confirm this layout? Its root stands in the same place of
 * the file. Cheap against a search; in a wrong layout it may not find the
 * tables that tell. */
static bool
would_confirm(const struct found *found, uint64_t low)
{
    MEMCTX_CLEANUP(memctx_rammap_cleanup) struct memctx_rammap *map = NULL;
    struct memctx_kernel kernel = *chosen(&found->result);
    uint64_t guesses[MEMCTX_SPLIT_GUESSES];
    if (make_map(found->map, low, &map, NULL) < 0)
        return false;
    kernel.kcr3 = memctx_rammap_translate(found->map, kernel.kcr3, map);
    return judge(map, &kernel, low, guesses) == MEMCTX_SPLIT_CONFIRMED;
}

/* Where a kernel that does not confirm the layout has its RAM. *found changes
 * if one of the others is confirmed. */
static void
ask_kernel(const struct memctx_rammap *of, struct splits *splits,
           struct found *found)
{
    for (size_t i = 0; i < MEMCTX_SPLIT_GUESSES; i++)
        add_split(splits, found->guesses[i]);
    for (size_t i = 0; i < splits->n; i++) {
        MEMCTX_CLEANUP(found_cleanup)
        struct found *other = calloc(1, sizeof(*other));
        if (other != NULL)
            other->trail = found->trail;
        if (other == NULL || splits->low[i] == found->low ||
            !would_confirm(found, splits->low[i]) ||
            try_split(of, splits->low[i], other, NULL) < 0 ||
            other->word != MEMCTX_SPLIT_CONFIRMED)
            continue;
        found_deinit(found);
        *found = *other;
        other->map = NULL;
        return;
    }
}

/* RAM may begin elsewhere than at 0: a kernel for another machine is seen in
 * it. It is in one piece then. */
static int
look_there(struct ram *ram, uint64_t ram_gpa, struct trail *trail,
           struct memctx_search_result *result, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_rammap_cleanup) struct memctx_rammap *map = NULL;
    const struct memctx_extent all = {
        .gpa = ram_gpa, .size = memctx_rammap_backend_size(ram->map, 0)};
    if (memctx_rammap_create_beside(ram->map, &map, err) < 0 ||
        memctx_rammap_add_extent(map, &all, err) < 0 ||
        rawram_look(map, 0, trail, result, err) < 0)
        return -1;
    memctx_rammap_destroy(ram->map);
    ram->map = memctx_steal_ptr(&map);
    ram->low = all.size;
    return 0;
}

/* The number of the first layout in which there is a kernel; splits->n: in
 * none, and *err is what was said of the first one. */
static size_t
find_first(const struct ram *ram, const struct splits *splits,
           struct found *found, struct memctx_search_result *first,
           struct memctx_error *err)
{
    for (size_t i = 0; i < splits->n; i++) {
        struct memctx_error why = MEMCTX_ERROR_INIT;
        if (try_split(ram->map, splits->low[i], found, &why) == 0)
            return i;
        if (i == 0) {
            *first = found->result;
            *err = why;
        }
        if (why.kind != MEMCTX_RETRY || first->ram_gpa != 0)
            break;
    }
    return splits->n;
}

int
rawram_find(struct ram *ram, uint64_t low, struct trail *trail,
            struct memctx_search_result *result,
            enum memctx_layout_proof *proof, struct memctx_error *err)
{
    MEMCTX_CLEANUP(found_cleanup)
    struct found *found = calloc(1, sizeof(*found));
    struct splits splits = {.n = 0};
    struct memctx_error why = MEMCTX_ERROR_INIT;
    uint64_t size = memctx_rammap_size(ram->map);
    if (found == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    found->trail = trail;
    add_split(&splits, memctx_min(low, size));
    add_stock(&splits, size);
    size_t at = find_first(ram, &splits, found, result, &why);
    *proof = MEMCTX_LAYOUT_CERTAIN;
    if (at == splits.n && result->ram_gpa != 0 && low == 0)
        return look_there(ram, result->ram_gpa, trail, result, err);
    if (at == splits.n)
        return memctx_error_pass(err, &why);
    if (found->word != MEMCTX_SPLIT_CONFIRMED)
        ask_kernel(ram->map, &splits, found);
    *proof = weigh(found, &splits);
    *result = found->result;
    memctx_rammap_destroy(ram->map);
    ram->map = memctx_steal_ptr(&found->map);
    ram->low = found->low;
    return 0;
}
