/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Visits page tables in order, a page of a table at a time. */
#include "paging/iterator.h"

void
memctx_iterator_init(struct memctx_iterator *it,
                     const struct memctx_rammap *map, enum memctx_paging paging,
                     uint64_t root_gpa, uint64_t first_gva, uint64_t last_gva)
{
    it->map = map;
    it->format = memctx_paging_format(paging);
    it->root_gpa = root_gpa;
    it->soft = NULL;
    it->gva = first_gva;
    it->last_gva = last_gva;
    it->over = first_gva > last_gva;
    for (int n = 0; n <= MEMCTX_PAGING_LEVELS_MAX; n++)
        it->table[n].known = false;
}

/* Have the piece at gpa of a table in memory, all of it up to a page's size;
 * false when it is not RAM. */
static bool
load(struct memctx_iterator *it, int n, uint64_t gpa, size_t len)
{
    if (it->table[n].known && it->table[n].gpa == gpa)
        return it->table[n].readable;
    it->table[n].known = true;
    it->table[n].gpa = gpa;
    it->table[n].readable =
        memctx_rammap_read(it->map, gpa, it->table[n].bytes, len, NULL) == 0;
    return it->table[n].readable;
}

/* The entry of the current gva at level n; 0 when it maps nothing. */
static uint64_t
entry_of(struct memctx_iterator *it, int n, uint64_t table_gpa)
{
    const struct memctx_paging_format *format = it->format;
    uint64_t size = (uint64_t)format->entry_bytes
                    << memctx_paging_index_bits(format, n);
    uint64_t at = memctx_paging_entry_at(format, n, it->gva);
    uint64_t into = at % MEMCTX_PAGE_SIZE;
    if (!load(it, n, table_gpa + (at - into),
              (size_t)memctx_min(size, MEMCTX_PAGE_SIZE)))
        return 0;
    const unsigned char *raw = it->table[n].bytes + into;
    uint64_t entry =
        format->entry_bytes == 4 ? memctx_le32(raw) : memctx_le64(raw);
    if ((entry & MEMCTX_PTE_PRESENT) == 0 && n == 1 && it->soft != NULL)
        entry = it->soft(it->map, entry);
    bool good = (entry & MEMCTX_PTE_PRESENT) != 0 &&
                memctx_paging_is_good(format, n, entry);
    return good ? entry : 0;
}

/* On to the first gva behind the entry of the current one at level n. */
static void
skip(struct memctx_iterator *it, int n)
{
    uint64_t end = it->gva | MEMCTX_PTE_BITS(it->format->level[n].shift - 1, 0);
    it->over = it->over || end >= it->last_gva;
    it->gva = end + 1;
}

/* Is the current gva mapped? It is moved on in both cases. */
static bool
visit(struct memctx_iterator *it, struct memctx_mapped_page *ret)
{
    uint64_t table_gpa = it->root_gpa;
    for (int n = it->format->levels; n >= 1; n--) {
        const struct memctx_paging_format *format = it->format;
        uint64_t entry = entry_of(it, n, table_gpa);
        bool leaf = n == 1 || memctx_paging_is_large(format, n, entry);
        if (entry != 0 && !leaf) {
            table_gpa = memctx_paging_table(format, entry);
            continue;
        }
        uint64_t size = UINT64_C(1) << format->level[n].shift;
        uint64_t into = it->gva & (size - 1);
        *ret = (struct memctx_mapped_page){
            it->gva, memctx_paging_page(format, n, entry) + into, size - into};
        skip(it, n);
        return entry != 0;
    }
    return false;
}

bool
memctx_iterator_next(struct memctx_iterator *it, struct memctx_mapped_page *ret)
{
    struct memctx_work *work = memctx_rammap_work(it->map);
    /* Bounded: each turn moves on by an entry of a table, and costs. Tables
     * that lead to themselves have entries without end. */
    while (!it->over) {
        if (!memctx_work_look(work))
            it->over = true;
        else if (visit(it, ret))
            return true;
    }
    return false;
}
