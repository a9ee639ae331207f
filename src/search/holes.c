/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A table of ranges that are cut where they were looked at. */
#include "search/holes.h"

#include <string.h>

#include "base/bytes.h"

void
memctx_holes_fill(struct memctx_holes *holes, const struct memctx_rammap *map)
{
    size_t count;
    const struct memctx_extent *e = memctx_rammap_extents(map, &count);
    /* An extent that has no room is not missed: the scan that goes round and
     * round comes to it, too. */
    holes->n = (size_t)memctx_min(count, MEMCTX_HOLES_MAX);
    for (size_t i = 0; i < holes->n; i++)
        holes->range[i] = (struct memctx_range){e[i].gpa, e[i].size};
}

bool
memctx_holes_find_data(const struct memctx_holes *holes, size_t at,
                       const struct memctx_rammap *map,
                       struct memctx_range *ret)
{
    uint64_t first = holes->range[at].gpa;
    uint64_t limit = first + holes->range[at].size;
    uint64_t start;
    uint64_t end;
    if (!memctx_rammap_next_data(map, first, limit, &start, &end))
        return false;
    start -= memctx_min(start - first, start % MEMCTX_PAGE_SIZE);
    end = memctx_min(memctx_round_up(end, MEMCTX_PAGE_SIZE), limit);
    *ret = (struct memctx_range){start, end - start};
    return true;
}

size_t
memctx_holes_cut(struct memctx_holes *holes, size_t at, uint64_t gpa,
                 uint64_t end_gpa)
{
    struct memctx_range old = holes->range[at];
    struct memctx_range before = {old.gpa, gpa - old.gpa};
    struct memctx_range after = {end_gpa, old.gpa + old.size - end_gpa};
    struct memctx_range left[2];
    size_t n = 0;
    /* One range becomes two at most. In a full table the part before is given
     * up: it had no data a moment ago, when find_data() passed over it. */
    if (before.size > 0 && (after.size == 0 || holes->n < MEMCTX_HOLES_MAX))
        left[n++] = before;
    size_t next = at + n;
    if (after.size > 0)
        left[n++] = after;
    memmove(&holes->range[at + n], &holes->range[at + 1],
            (holes->n - at - 1) * sizeof(left[0]));
    memcpy(&holes->range[at], left, n * sizeof(left[0]));
    holes->n += n - 1;
    return next;
}
