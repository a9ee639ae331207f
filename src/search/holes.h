/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Ranges of RAM that had no data when they were last looked at. Data that is
 * there now is new. */
#ifndef MEMCTX_HOLES_H
#define MEMCTX_HOLES_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/guest.h"
#include "ram/rammap.h"

#define MEMCTX_HOLES_MAX 512

struct memctx_holes {
    struct memctx_range range[MEMCTX_HOLES_MAX]; /* by gpa */
    size_t n;
};

/* Note all RAM as a hole, or as many extents as the table has room for. */
void memctx_holes_fill(struct memctx_holes *holes,
                       const struct memctx_rammap *map);

/* Find the first run of whole pages in hole `at` that has data by now. True and
 * *ret; false if there is none. */
bool memctx_holes_find_data(const struct memctx_holes *holes, size_t at,
                            const struct memctx_rammap *map,
                            struct memctx_range *ret);

/* Take [gpa, end_gpa), which was looked at, out of hole `at`, which contains
 * it. Returns the index at which to go on. If the table is full, the part
 * before it counts as looked at, too. */
size_t memctx_holes_cut(struct memctx_holes *holes, size_t at, uint64_t gpa,
                        uint64_t end_gpa);

#endif
