/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through what an address space maps, in order of its addresses. */
#ifndef MEMCTX_ITERATOR_H
#define MEMCTX_ITERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/format.h"
#include "paging/paging.h"
#include "ram/rammap.h"

/* One page that is mapped. */
struct memctx_mapped_page {
    uint64_t gva;
    uint64_t gpa; /* not necessarily RAM */
    uint64_t size;
};

/* Embedded by the caller; about 20 KiB. The members are its own. */
struct memctx_iterator {
    const struct memctx_rammap *map;
    const struct memctx_paging_format *format;
    uint64_t root_gpa;
    memctx_paging_soft_fn *soft; /* NULL; or set it after
                                    memctx_iterator_init() */
    uint64_t gva;                /* where it goes on */
    uint64_t last_gva;
    bool over;
    /* The table of each level that was read last. */
    struct {
        bool known;
        bool readable;
        uint64_t gpa;
        unsigned char bytes[MEMCTX_PAGE_SIZE];
    } table[MEMCTX_PAGING_LEVELS_MAX + 1];
};

/* Begin with the pages in [first_gva, last_gva], which must be addresses that
 * the format can translate. Tables that are read and entries that are visited
 * are charged to the map's work; once nothing is left the iteration ends. */
void memctx_iterator_init(struct memctx_iterator *it,
                          const struct memctx_rammap *map,
                          enum memctx_paging paging, uint64_t root_gpa,
                          uint64_t first_gva, uint64_t last_gva);

/* The next mapped page, the first one cut at first_gva; false when there is
 * none. Entries that are no good (reserved bits, a table outside RAM) map
 * nothing. Tables that lead to themselves map as much as any: the caller has
 * to bound how many pages it takes. Reads each table once in a row. */
bool memctx_iterator_next(struct memctx_iterator *it,
                          struct memctx_mapped_page *ret);

#endif
