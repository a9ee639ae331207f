/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Page-table walks over a RAM map; knows no operating system. */
#include "paging/paging.h"

#include <inttypes.h>

#include "base/bytes.h"

static bool
is_canonical(uint64_t gva, const struct memctx_paging_format *format)
{
    int64_t above = (int64_t)gva >> format->va_bits;
    int64_t last = (int64_t)(gva >> (format->va_bits - 1) & 1);
    switch (format->above) {
    case MEMCTX_ABOVE_ZEROS:
        return above == 0;
    case MEMCTX_ABOVE_SIGN:
        return above == -last;
    case MEMCTX_ABOVE_ONES:
        return above == -1;
    }
    return false;
}

/* Read and check the entry of gva in the table at table_gpa. */
static int
read_entry(const struct memctx_rammap *map,
           const struct memctx_paging_format *format, uint64_t table_gpa,
           uint64_t gva, int n, memctx_paging_soft_fn *soft, uint64_t *ret,
           struct memctx_error *err)
{
    unsigned char raw[8] = {0};
    uint64_t entry_gpa = table_gpa + memctx_paging_entry_at(format, n, gva);
    if (memctx_rammap_read(map, entry_gpa, raw, format->entry_bytes, err) < 0)
        return memctx_error_prefix(err, "level %d table of gva %#" PRIx64, n,
                                   gva);
    const uint64_t raw_entry = memctx_le64(raw);
    uint64_t entry = raw_entry;
    if ((entry & MEMCTX_PTE_PRESENT) == 0 && n == 1 && soft != NULL)
        entry = soft(map, entry);
    if ((entry & MEMCTX_PTE_PRESENT) == 0)
        return memctx_error_set(
            err, MEMCTX_RETRY,
            "gva %#" PRIx64 " is not mapped: entry %#" PRIx64 " at level %d",
            gva, raw_entry, n);
    if (!memctx_paging_is_good(format, n, entry))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 ": reserved bits in entry "
                                "%#" PRIx64 " at level %d",
                                gva, entry, n);
    *ret = entry;
    return 0;
}

static void
add_rights(struct memctx_walk *walk, const struct memctx_paging_rights *rights,
           uint64_t entry)
{
    walk->writable = walk->writable && memctx_paging_is(&rights->write, entry);
    walk->user = walk->user && memctx_paging_is(&rights->user, entry);
    walk->executable =
        walk->executable && memctx_paging_is(&rights->execute, entry);
}

int
memctx_paging_walk(const struct memctx_rammap *map, enum memctx_paging paging,
                   uint64_t root_gpa, uint64_t gva, struct memctx_walk *ret,
                   struct memctx_error *err)
{
    return memctx_paging_walk_soft(map, paging, root_gpa, gva, NULL, ret, err);
}

int
memctx_paging_walk_soft(const struct memctx_rammap *map,
                        enum memctx_paging paging, uint64_t root_gpa,
                        uint64_t gva, memctx_paging_soft_fn *soft,
                        struct memctx_walk *ret, struct memctx_error *err)
{
    const struct memctx_paging_format *format = memctx_paging_format(paging);
    if (!is_canonical(gva, format))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 " is not canonical for %s", gva,
                                format->name);
    struct memctx_walk walk = {
        .writable = true, .user = true, .executable = true};
    uint64_t table_gpa = root_gpa;
    for (int n = format->levels; n >= 1; n--) {
        uint64_t entry;
        if (read_entry(map, format, table_gpa, gva, n, soft, &entry, err) < 0)
            return -1;
        bool maps = n == 1 || memctx_paging_is_large(format, n, entry);
        if (format->level[n].rights)
            add_rights(&walk,
                       maps ? &format->encoding->page
                            : &format->encoding->through,
                       entry);
        table_gpa = memctx_paging_table(format, entry);
        if (!maps)
            continue;
        walk.page_size = UINT64_C(1) << format->level[n].shift;
        walk.gpa =
            memctx_paging_page(format, n, entry) | (gva & (walk.page_size - 1));
        break;
    }
    *ret = walk;
    return 0;
}

int
memctx_paging_read_pieces(memctx_paging_piece_fn *piece, void *arg,
                          uint64_t gva, void *buf, size_t len_bytes,
                          struct memctx_error *err)
{
    unsigned char *to = buf;
    /* Bounded: each turn reads at least one byte. */
    while (len_bytes > 0) {
        size_t part = len_bytes;
        if (piece(arg, gva, to, &part, err) < 0)
            return -1;
        to += part;
        len_bytes -= part;
        if (len_bytes > 0 && !memctx_add(gva, part, &gva))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "a read reaches beyond the last gva");
    }
    return 0;
}

/* An address space, of which tables and bytes may be read through two maps. */
struct space {
    const struct memctx_rammap *tables;
    const struct memctx_rammap *map;
    enum memctx_paging paging;
    uint64_t root_gpa;
};

/* Bytes that are in a row in both spaces; one read takes them all. */
struct run {
    uint64_t gva;
    uint64_t gpa;
    unsigned char *to;
    size_t len_bytes; /* 0: none yet */
};

/* A read under way. */
struct reading {
    struct space space;
    struct run run;
};

static int
read_run(const struct space *space, const struct run *run,
         struct memctx_error *err)
{
    if (memctx_rammap_read(space->map, run->gpa, run->to, run->len_bytes, err) <
        0)
        return memctx_error_prefix(err, "gva %#" PRIx64, run->gva);
    return 0;
}

/* Add what lies in one page. A page that does not follow the one before ends
 * the run: that is read, and this page begins the next. */
static int
add_page(void *arg, uint64_t gva, void *to, size_t *len_bytes,
         struct memctx_error *err)
{
    struct reading *reading = arg;
    struct run *run = &reading->run;
    const struct space *space = &reading->space;
    struct memctx_walk walk;
    if (memctx_paging_walk(space->tables, space->paging, space->root_gpa, gva,
                           &walk, err) < 0)
        return -1;
    uint64_t left = walk.page_size - (walk.gpa & (walk.page_size - 1));
    *len_bytes = (size_t)memctx_min(*len_bytes, left);
    if (run->len_bytes > 0 && walk.gpa != run->gpa + run->len_bytes) {
        if (read_run(space, run, err) < 0)
            return -1;
        run->len_bytes = 0;
    }
    if (run->len_bytes == 0)
        *run = (struct run){gva, walk.gpa, to, 0};
    run->len_bytes += *len_bytes;
    return 0;
}

int
memctx_paging_read_by(const struct memctx_rammap *tables,
                      const struct memctx_rammap *map,
                      enum memctx_paging paging, uint64_t root_gpa,
                      uint64_t gva, void *buf, size_t len_bytes,
                      struct memctx_error *err)
{
    struct reading reading = {{tables, map, paging, root_gpa}, {0}};
    if (memctx_paging_read_pieces(add_page, &reading, gva, buf, len_bytes,
                                  err) < 0)
        return -1;
    return read_run(&reading.space, &reading.run, err);
}

int
memctx_paging_read(const struct memctx_rammap *map, enum memctx_paging paging,
                   uint64_t root_gpa, uint64_t gva, void *buf, size_t len_bytes,
                   struct memctx_error *err)
{
    return memctx_paging_read_by(map, map, paging, root_gpa, gva, buf,
                                 len_bytes, err);
}
