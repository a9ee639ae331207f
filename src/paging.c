/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Page-table walks over a RAM map; knows no operating system. */
#include "paging.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "bytes.h"

/* What differs between the formats. */
struct format {
    const char *name;
    int levels;
    int va_bits; /* bits of a virtual address that are translated */
};

static const struct format formats[] = {
    [MEMCTX_PAGING_UNKNOWN] = {NULL, 0, 0},
    [MEMCTX_PAGING_X86_64_4LEVEL] = {"x86_64-4level", 4, 48},
    [MEMCTX_PAGING_X86_64_5LEVEL] = {"x86_64-5level", 5, 57},
};
static_assert(MEMCTX_ARRAY_LEN(formats) == MEMCTX_PAGINGS,
              "every paging mode has a format");

const char *
memctx_paging_name(enum memctx_paging paging)
{
    return paging < MEMCTX_PAGINGS ? formats[paging].name : NULL;
}

enum memctx_paging
memctx_paging_from_name(const char *name)
{
    for (unsigned i = 1; i < MEMCTX_PAGINGS; i++) {
        if (strcmp(formats[i].name, name) == 0)
            return (enum memctx_paging)i;
    }
    return MEMCTX_PAGING_UNKNOWN;
}

static bool
is_canonical(uint64_t gva, int va_bits)
{
    int64_t top = (int64_t)gva >> (va_bits - 1);
    return top == 0 || top == -1;
}

/* Bits that a large page's entry must not have: its frame is aligned to the
 * page, but for the PAT bit (12). */
static bool
is_large_aligned(uint64_t entry, uint64_t page_size)
{
    uint64_t low_frame = (page_size - 1) & MEMCTX_PTE_FRAME;
    return (entry & low_frame & ~UINT64_C(0x1000)) == 0;
}

/* Read and check the entry of gva at `level` (1 is the last) of table_gpa. */
static int
read_entry(const struct memctx_rammap *map, uint64_t table_gpa, uint64_t gva,
           int level, uint64_t *ret, struct memctx_error *err)
{
    int shift = 12 + 9 * (level - 1);
    uint64_t index = gva >> shift & 0x1ff;
    unsigned char raw[8];
    if (memctx_rammap_read(map, table_gpa + index * 8, raw, sizeof(raw), err) <
        0)
        return memctx_error_prefix(err, "level %d table of gva %#" PRIx64,
                                   level, gva);
    uint64_t entry = memctx_le64(raw);
    if ((entry & MEMCTX_PTE_PRESENT) == 0)
        return memctx_error_set(
            err, MEMCTX_RETRY,
            "gva %#" PRIx64 " is not mapped: entry %#" PRIx64 " at level %d",
            gva, entry, level);
    bool large = level > 1 && (entry & MEMCTX_PTE_LARGE) != 0;
    if (large && (level > 3 || !is_large_aligned(entry, UINT64_C(1) << shift)))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 ": reserved bits in entry "
                                "%#" PRIx64 " at level %d",
                                gva, entry, level);
    *ret = entry;
    return 0;
}

static void
add_rights(struct memctx_walk *walk, uint64_t entry)
{
    walk->writable = walk->writable && (entry & MEMCTX_PTE_WRITE) != 0;
    walk->user = walk->user && (entry & MEMCTX_PTE_USER) != 0;
    walk->executable = walk->executable && (entry & MEMCTX_PTE_NX) == 0;
}

int
memctx_paging_walk(const struct memctx_rammap *map, enum memctx_paging paging,
                   uint64_t root_gpa, uint64_t gva, struct memctx_walk *ret,
                   struct memctx_error *err)
{
    assert(paging > MEMCTX_PAGING_UNKNOWN && paging < MEMCTX_PAGINGS);
    const struct format *format = &formats[paging];
    if (!is_canonical(gva, format->va_bits))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 " is not canonical for %s", gva,
                                format->name);
    struct memctx_walk walk = {
        .writable = true, .user = true, .executable = true};
    uint64_t table_gpa = root_gpa;
    for (int level = format->levels; level >= 1; level--) {
        uint64_t entry;
        if (read_entry(map, table_gpa, gva, level, &entry, err) < 0)
            return -1;
        add_rights(&walk, entry);
        table_gpa = entry & MEMCTX_PTE_FRAME;
        if (level > 1 && (entry & MEMCTX_PTE_LARGE) == 0)
            continue;
        walk.page_size = UINT64_C(1) << (12 + 9 * (level - 1));
        walk.gpa =
            (table_gpa & ~(walk.page_size - 1)) | (gva & (walk.page_size - 1));
        break;
    }
    *ret = walk;
    return 0;
}

int
memctx_paging_read(const struct memctx_rammap *map, enum memctx_paging paging,
                   uint64_t root_gpa, uint64_t gva, void *buf, size_t len_bytes,
                   struct memctx_error *err)
{
    unsigned char *to = buf;
    /* Bounded: each turn reads at least one byte. */
    while (len_bytes > 0) {
        struct memctx_walk walk;
        if (memctx_paging_walk(map, paging, root_gpa, gva, &walk, err) < 0)
            return -1;
        uint64_t left = walk.page_size - (walk.gpa & (walk.page_size - 1));
        size_t part = (size_t)memctx_min(len_bytes, left);
        if (memctx_rammap_read(map, walk.gpa, to, part, err) < 0)
            return memctx_error_prefix(err, "gva %#" PRIx64, gva);
        to += part;
        len_bytes -= part;
        if (len_bytes > 0 && !memctx_add(gva, part, &gva))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "a read reaches beyond the last gva");
    }
    return 0;
}
