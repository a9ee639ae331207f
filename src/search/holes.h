/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM that had no data when it was last asked for. What has data there now was
 * put there since. */
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

/* All RAM is a hole, or what of it has room. */
void memctx_holes_fill(struct memctx_holes *holes,
                       const struct memctx_rammap *map);

/* The first run of whole pages in hole `at` that has data by now: true, and
 * *ret. False: there is none. */
bool memctx_holes_find_data(const struct memctx_holes *holes, size_t at,
                            const struct memctx_rammap *map,
                            struct memctx_range *ret);

/* Take [gpa, end_gpa) out of hole `at`, which contains it: it was looked at.
 * Returns where to go on. When the table is full, the part before it counts as
 * looked at, too. */
size_t memctx_holes_cut(struct memctx_holes *holes, size_t at, uint64_t gpa,
                        uint64_t end_gpa);

#endif
