/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through what an address space maps, in order of its addresses. */
#ifndef MEMCTX_TOUR_H
#define MEMCTX_TOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/format.h"
#include "ram/rammap.h"

/* One page that is mapped. */
struct memctx_mapping {
    uint64_t gva;
    uint64_t gpa; /* not necessarily RAM */
    uint64_t size;
};

/* Embedded by the caller; about 20 KiB. The members are the tour's own. */
struct memctx_tour {
    const struct memctx_rammap *map;
    const struct memctx_paging_format *format;
    uint64_t root_gpa;
    uint64_t gva; /* where it goes on */
    uint64_t last_gva;
    bool over;
    uint64_t *reads_left;
    /* The table of each level that was read last. */
    struct {
        bool known;
        bool readable;
        uint64_t gpa;
        unsigned char bytes[MEMCTX_PAGE_SIZE];
    } table[MEMCTX_PAGING_LEVELS_MAX + 1];
};

/* Begin a tour of the pages in [first_gva, last_gva], which must be addresses
 * that the format can translate. Each table it reads takes one from
 * *reads_left; without any it ends. */
void memctx_tour_init(struct memctx_tour *tour, const struct memctx_rammap *map,
                      enum memctx_paging paging, uint64_t root_gpa,
                      uint64_t first_gva, uint64_t last_gva,
                      uint64_t *reads_left);

/* The next mapped page, the first one cut at first_gva; false when there is
 * none. Entries that are no good (reserved bits, a table outside RAM) map
 * nothing. Tables that lead to themselves map as much as any: the caller has
 * to bound how many pages it takes. Reads each table once in a row. */
bool memctx_tour_next(struct memctx_tour *tour, struct memctx_mapping *ret);

#endif
