/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The pages of a guest that a search looks at, changed: everything that is
 * found in them, by one try after the other and by a look at all RAM. pages.h
 * tells what an input is; real.sh takes one from a real guest. */
#include "fuzz.h"

#include "charged.h"
#include "cost.h"
#include "pages.h"
#include "search/guests.h"
#include "search/revalidate.h"
#include "search/search.h"
#include "uses.h"

#define BUDGET (16 * MEMCTX_MIB)
#define TRIES 2

static void
check(const struct memctx_error *err)
{
    FUZZ_MUST(err->kind == MEMCTX_RETRY && err->message[0] != '\0');
}

/* What was found a moment ago is still there. */
static void
check_found(const struct memctx_rammap *map, const struct memctx_kernel *kernel)
{
    static struct memctx_clocks clocks;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    size_t n;
    const struct memctx_extent *extents = memctx_rammap_extents(map, &n);
    FUZZ_MUST(memctx_revalidate(map, kernel, &err) == 0);
    if (memctx_guests[kernel->os]->clocks(map, kernel, &clocks, &err) < 0)
        check(&err);
    else
        FUZZ_MUST(clocks.n <= MEMCTX_CLOCKS_MAX);
    fuzz_use(map, extents[0].size, kernel);
}

static void
search(const struct memram *ram, const struct memctx_rammap *map, bool all)
{
    struct memctx_work *work = memctx_rammap_work(map);
    struct memctx_search *search;
    const struct memctx_search_request request = {.budget_bytes = BUDGET,
                                                  .all = all};
    static struct memctx_search_result result;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    FUZZ_MUST(memctx_search_create(&search, NULL) == 0);
    for (int i = 0; i < TRIES; i++) {
        struct fuzz_cost cost = fuzz_cost_begin(ram, FUZZ_STEPS);
        memctx_work_begin(work, FUZZ_STEPS, NULL, NULL);
        if (memctx_search_try(search, map, &request, &result, &err) < 0)
            check(&err);
        fuzz_cost_end(&cost);
        for (size_t k = 0; k < result.n_kernels; k++) {
            memctx_work_begin(work, FUZZ_STEPS, NULL, NULL);
            check_found(map, &result.kernels[k]);
        }
    }
    memctx_search_destroy(search);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    enum fuzz_layout layout;
    struct memram *ram = fuzz_pages(data, size, &layout);
    struct memctx_rammap *map = memram_rammap(ram, 4 * MEMCTX_GIB);
    struct memctx_work work;
    charge_map(&map, &work, 0);
    search(ram, map, false);
    search(ram, map, true);
    memctx_rammap_destroy(map);
}
