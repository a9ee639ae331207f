/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Visits page tables in order, a page of a table at a time. */
#include "paging/tour.h"

void
memctx_tour_init(struct memctx_tour *tour, const struct memctx_rammap *map,
                 enum memctx_paging paging, uint64_t root_gpa,
                 uint64_t first_gva, uint64_t last_gva, uint64_t *reads_left)
{
    tour->map = map;
    tour->format = memctx_paging_format(paging);
    tour->root_gpa = root_gpa;
    tour->gva = first_gva;
    tour->last_gva = last_gva;
    tour->over = first_gva > last_gva;
    tour->reads_left = reads_left;
    for (int n = 0; n <= MEMCTX_PAGING_LEVELS_MAX; n++)
        tour->table[n].known = false;
}

/* Have the piece at gpa of a table in memory, all of it up to a page's size;
 * false when it is not RAM. */
static bool
load(struct memctx_tour *tour, int n, uint64_t gpa, size_t len)
{
    if (tour->table[n].known && tour->table[n].gpa == gpa)
        return tour->table[n].readable;
    if (*tour->reads_left == 0) {
        tour->over = true;
        return false;
    }
    --*tour->reads_left;
    tour->table[n].known = true;
    tour->table[n].gpa = gpa;
    tour->table[n].readable =
        memctx_rammap_read(tour->map, gpa, tour->table[n].bytes, len, NULL) ==
        0;
    return tour->table[n].readable;
}

/* The entry of the current gva at level n; 0 when it maps nothing. */
static uint64_t
entry_of(struct memctx_tour *tour, int n, uint64_t table_gpa)
{
    const struct memctx_paging_format *format = tour->format;
    uint64_t size = (uint64_t)format->entry_bytes
                    << memctx_paging_index_bits(format, n);
    uint64_t at = memctx_paging_entry_at(format, n, tour->gva);
    uint64_t into = at % MEMCTX_PAGE_SIZE;
    if (!load(tour, n, table_gpa + (at - into),
              (size_t)memctx_min(size, MEMCTX_PAGE_SIZE)))
        return 0;
    const unsigned char *raw = tour->table[n].bytes + into;
    uint64_t entry =
        format->entry_bytes == 4 ? memctx_le32(raw) : memctx_le64(raw);
    bool good = (entry & MEMCTX_PTE_PRESENT) != 0 &&
                memctx_paging_is_good(format, n, entry);
    return good ? entry : 0;
}

/* On to the first gva behind the entry of the current one at level n. */
static void
skip(struct memctx_tour *tour, int n)
{
    uint64_t end =
        tour->gva | MEMCTX_PTE_BITS(tour->format->level[n].shift - 1, 0);
    tour->over = tour->over || end >= tour->last_gva;
    tour->gva = end + 1;
}

/* Is the current gva mapped? It is moved on in both cases. */
static bool
visit(struct memctx_tour *tour, struct memctx_mapping *ret)
{
    uint64_t table_gpa = tour->root_gpa;
    for (int n = tour->format->levels; n >= 1; n--) {
        const struct memctx_paging_format *format = tour->format;
        uint64_t entry = entry_of(tour, n, table_gpa);
        bool leaf = n == 1 || memctx_paging_is_large(format, n, entry);
        if (entry != 0 && !leaf) {
            table_gpa = memctx_paging_table(format, entry);
            continue;
        }
        uint64_t size = UINT64_C(1) << format->level[n].shift;
        uint64_t into = tour->gva & (size - 1);
        *ret = (struct memctx_mapping){
            tour->gva, memctx_paging_page(format, n, entry) + into,
            size - into};
        skip(tour, n);
        return entry != 0;
    }
    return false;
}

bool
memctx_tour_next(struct memctx_tour *tour, struct memctx_mapping *ret)
{
    /* Bounded: each turn moves on by an entry of a table, and each table
     * takes from *reads_left. */
    while (!tour->over) {
        if (visit(tour, ret))
            return true;
    }
    return false;
}
