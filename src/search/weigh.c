/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Counts what a kernel maps of RAM that only one layout has. */
#include "search/weigh.h"

#include "base/bytes.h"
#include "paging/tour.h"

/* A direct map of 128 GiB in pages of 2 MiB and one of 1 GiB in pages of 4 KiB
 * are gone through, both with what else the kernel maps. */
#define PAGES_MAX (1u << 18)
#define TABLES_MAX 4096u

/* Below this a weight may be devices. */
#define LEAST (4 * MEMCTX_MIB)

static bool
is_only_in(const struct memctx_rammap *map, const struct memctx_rammap *other,
           uint64_t gpa)
{
    gpa &= ~(uint64_t)(MEMCTX_PAGE_SIZE - 1);
    return memctx_rammap_contains(map, gpa, MEMCTX_PAGE_SIZE) &&
           !memctx_rammap_contains(other, gpa, MEMCTX_PAGE_SIZE);
}

uint64_t
memctx_weigh(const struct memctx_rammap *map, const struct memctx_rammap *other,
             const struct memctx_kernel *kernel)
{
    const struct memctx_paging_format *format =
        memctx_paging_format(kernel->paging);
    /* All that it maps, or the kernel's half. */
    uint64_t first = 0;
    if (format->above == MEMCTX_ABOVE_SIGN)
        first = UINT64_MAX << (format->va_bits - 1);
    if (format->above == MEMCTX_ABOVE_ONES)
        first = UINT64_MAX << format->va_bits;
    uint64_t last = format->above == MEMCTX_ABOVE_ZEROS
                        ? (UINT64_C(1) << format->va_bits) - 1
                        : UINT64_MAX;
    uint64_t reads_left = TABLES_MAX;
    uint64_t weight = 0;
    struct memctx_tour tour;
    struct memctx_mapping page;
    memctx_tour_init(&tour, map, kernel->paging, kernel->kcr3, first, last,
                     &reads_left);
    for (unsigned i = 0; i < PAGES_MAX && weight < MEMCTX_WEIGH_ENOUGH &&
                         memctx_tour_next(&tour, &page);
         i++) {
        if (is_only_in(map, other, page.gpa))
            weight += page.size;
    }
    return weight;
}

bool
memctx_weighs_more(uint64_t mine, uint64_t others)
{
    return mine >= LEAST && mine / 16 >= others;
}
