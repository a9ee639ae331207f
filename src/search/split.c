/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks for the direct map among all that a kernel maps. */
#include "search/split.h"

#include <string.h>

#include "base/bytes.h"
#include "search/mapped.h"

#define ABOVE (4 * MEMCTX_GIB)

/* What is mapped may reach to the end of such a page. */
#define LARGE (2 * MEMCTX_MIB)

/* So much at the end of a piece may be the firmware's. */
#define KEPT_MAX (64 * MEMCTX_MIB)

/* Pages that follow each other at one distance from the memory that they map.
 */
struct run {
    uint64_t distance;
    uint64_t bytes;
    uint64_t below_end; /* of what lies below 4 GiB; 0: nothing does */
    uint64_t above_end; /* the same of what lies above */
};

struct runs {
    struct run now;
    struct run best; /* maps most */
    uint64_t enough; /* bytes: no other run is as large as one of so many */
};

static bool
add_page(const struct memctx_mapped_page *page, void *arg)
{
    struct runs *runs = arg;
    struct run *now = &runs->now;
    uint64_t end = page->gpa + page->size;
    uint64_t distance = page->gva - page->gpa;
    if (distance != now->distance) {
        if (runs->best.bytes > runs->enough)
            return false;
        *now = (struct run){.distance = distance};
    }
    now->bytes += page->size;
    if (end <= ABOVE)
        now->below_end = memctx_max(now->below_end, end);
    else
        now->above_end = memctx_max(now->above_end, end);
    if (now->bytes > runs->best.bytes)
        runs->best = *now;
    return true;
}

/* Does what is mapped end where the piece ends, but for what is kept there? */
static bool
reaches(uint64_t mapped_end, uint64_t end)
{
    return mapped_end <= end && end - mapped_end <= KEPT_MAX;
}

/* The second piece is as large as the file has it left over. */
static void
guess(const struct run *run, uint64_t size,
      uint64_t guesses[MEMCTX_SPLIT_GUESSES])
{
    uint64_t above = run->above_end > ABOVE ? run->above_end - ABOVE : 0;
    size_t n = 0;
    if (above > 0 && above < size && size - above <= ABOVE)
        guesses[n++] = size - above;
    if (run->below_end > 0)
        guesses[n++] =
            memctx_min(memctx_round_up(run->below_end, KEPT_MAX), size);
}

/* The run that is the direct map. False: there is none. Nothing else that a
 * kernel maps is as large as half of RAM; in a wrong layout some tables of it
 * may not be found. */
static bool
find_direct_map(const struct memctx_rammap *map,
                const struct memctx_kernel *kernel, struct run *ret)
{
    uint64_t size = memctx_rammap_size(map);
    struct runs runs = {.now = {.distance = UINT64_MAX}, .enough = size / 2};
    memctx_mapped_visit(map, kernel, add_page, &runs);
    *ret = runs.best;
    return ret->bytes >= size / 4;
}

bool
memctx_split_is_elsewhere(const struct memctx_rammap *map,
                          const struct memctx_kernel *kernel, uint64_t low)
{
    uint64_t end = memctx_max(memctx_rammap_end(map), ABOVE);
    struct run direct;
    return find_direct_map(map, kernel, &direct) &&
           (direct.below_end > memctx_round_up(low, LARGE) ||
            direct.above_end > memctx_round_up(end, LARGE));
}

enum memctx_split_word
memctx_split_judge(const struct memctx_rammap *map,
                   const struct memctx_kernel *kernel, uint64_t low,
                   uint64_t guesses[MEMCTX_SPLIT_GUESSES])
{
    uint64_t size = memctx_rammap_size(map);
    uint64_t above_end = memctx_rammap_end(map);
    struct run direct;
    memset(guesses, 0, MEMCTX_SPLIT_GUESSES * sizeof(guesses[0]));
    if (!find_direct_map(map, kernel, &direct))
        return MEMCTX_SPLIT_UNTOLD;
    bool whole = above_end <= ABOVE;
    if (reaches(direct.below_end, low) &&
        (whole ? direct.above_end == 0 : reaches(direct.above_end, above_end)))
        return MEMCTX_SPLIT_CONFIRMED;
    guess(&direct, size, guesses);
    return MEMCTX_SPLIT_CONTRADICTED;
}

size_t
memctx_split_stock(uint64_t size, uint64_t ret[MEMCTX_SPLITS_MAX])
{
    const uint64_t q35_split = 2 * MEMCTX_GIB;
    const uint64_t q35_from = UINT64_C(0xb0000000);
    const uint64_t pc_split = 3 * MEMCTX_GIB;
    const uint64_t pc_from = UINT64_C(0xe0000000); /* old ones split there */
    size_t n = 0;
    if (size >= q35_from)
        ret[n++] = q35_split;
    if (size >= pc_from)
        ret[n++] = pc_split;
    if (size > pc_from)
        ret[n++] = pc_from;
    if (size < pc_from)
        ret[n++] = size;
    return n;
}
