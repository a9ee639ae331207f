/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Page-table walks over a RAM map; knows no operating system. */
#include "paging_format.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "bytes.h"

/* SDM tables 4-15 to 4-20. Bits that are reserved because the processor has
 * few address bits are not refused: nobody here knows how many it has. */
static const struct memctx_paging_level long_levels[] = {
    [1] = {12, 9, false, true, 0, 0},
    [2] = {21, 9, true, true, 0, MEMCTX_PTE_BITS(20, 13)},
    [3] = {30, 9, true, true, 0, MEMCTX_PTE_BITS(29, 13)},
    [4] = {39, 9, false, true, MEMCTX_PTE_LARGE, 0},
    [5] = {48, 9, false, true, MEMCTX_PTE_LARGE, 0},
};

/* SDM tables 4-8 to 4-11: bits 62:52 are reserved on every processor, and the
 * entries of the root have no rights. Their bit 5 is reserved, too, but QEMU's
 * TCG (seen with 7.2) sets it there as the accessed bit of any other table. */
#define PAE_HIGH MEMCTX_PTE_BITS(62, 52)
static const struct memctx_paging_level pae_levels[] = {
    [1] = {12, 9, false, true, PAE_HIGH, 0},
    [2] = {21, 9, true, true, PAE_HIGH, PAE_HIGH | MEMCTX_PTE_BITS(20, 13)},
    [3] = {30, 2, false, false,
           MEMCTX_PTE_BITS(63, 52) | MEMCTX_PTE_BITS(8, 6) |
               MEMCTX_PTE_BITS(2, 1),
           0},
};

/* SDM tables 4-4 to 4-6. PSE-36: bits 20:13 of a large page are bits 39:32 of
 * its address. */
static const struct memctx_paging_level old_levels[] = {
    [1] = {12, 10, false, true, 0, 0},
    [2] = {22, 10, true, true, 0, MEMCTX_PTE_BITS(21, 21)},
};

static const struct memctx_paging_format formats[] = {
    [MEMCTX_PAGING_UNKNOWN] = {.name = NULL},
    [MEMCTX_PAGING_X86_64_4LEVEL] = {"x86_64-4level", 4, 48, true, 8,
                                     MEMCTX_PTE_FRAME, long_levels},
    [MEMCTX_PAGING_X86_64_5LEVEL] = {"x86_64-5level", 5, 57, true, 8,
                                     MEMCTX_PTE_FRAME, long_levels},
    [MEMCTX_PAGING_X86_PAE] = {"x86-pae", 3, 32, false, 8, MEMCTX_PTE_FRAME,
                               pae_levels},
    [MEMCTX_PAGING_X86_2LEVEL] = {"x86-2level", 2, 32, false, 4,
                                  MEMCTX_PTE_BITS(31, 12), old_levels},
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

const struct memctx_paging_format *
memctx_paging_format(enum memctx_paging paging)
{
    assert(paging > MEMCTX_PAGING_UNKNOWN && paging < MEMCTX_PAGINGS);
    return &formats[paging];
}

uint64_t
memctx_paging_root_size(enum memctx_paging paging)
{
    const struct memctx_paging_format *format = memctx_paging_format(paging);
    return (uint64_t)format->entry_bytes << format->level[format->levels].bits;
}

static bool
is_canonical(uint64_t gva, const struct memctx_paging_format *format)
{
    if (!format->sign_extended)
        return gva >> format->va_bits == 0;
    int64_t top = (int64_t)gva >> (format->va_bits - 1);
    return top == 0 || top == -1;
}

/* Read and check the entry of gva in the table at table_gpa. */
static int
read_entry(const struct memctx_rammap *map,
           const struct memctx_paging_format *format, uint64_t table_gpa,
           uint64_t gva, int n, uint64_t *ret, struct memctx_error *err)
{
    const struct memctx_paging_level *level = &format->level[n];
    uint64_t index = gva >> level->shift & MEMCTX_PTE_BITS(level->bits - 1, 0);
    unsigned char raw[8] = {0};
    if (memctx_rammap_read(map, table_gpa + index * format->entry_bytes, raw,
                           format->entry_bytes, err) < 0)
        return memctx_error_prefix(err, "level %d table of gva %#" PRIx64, n,
                                   gva);
    uint64_t entry = memctx_le64(raw);
    if ((entry & MEMCTX_PTE_PRESENT) == 0)
        return memctx_error_set(
            err, MEMCTX_RETRY,
            "gva %#" PRIx64 " is not mapped: entry %#" PRIx64 " at level %d",
            gva, entry, n);
    if ((entry & memctx_paging_reserved(level, entry)) != 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 ": reserved bits in entry "
                                "%#" PRIx64 " at level %d",
                                gva, entry, n);
    *ret = entry;
    return 0;
}

static void
add_rights(struct memctx_walk *walk, const struct memctx_paging_level *level,
           uint64_t entry)
{
    if (!level->rights)
        return;
    walk->writable = walk->writable && (entry & MEMCTX_PTE_WRITE) != 0;
    walk->user = walk->user && (entry & MEMCTX_PTE_USER) != 0;
    walk->executable = walk->executable && (entry & MEMCTX_PTE_NX) == 0;
}

int
memctx_paging_walk(const struct memctx_rammap *map, enum memctx_paging paging,
                   uint64_t root_gpa, uint64_t gva, struct memctx_walk *ret,
                   struct memctx_error *err)
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
        const struct memctx_paging_level *level = &format->level[n];
        uint64_t entry;
        if (read_entry(map, format, table_gpa, gva, n, &entry, err) < 0)
            return -1;
        add_rights(&walk, level, entry);
        table_gpa = entry & format->frame;
        if (n > 1 && !memctx_paging_is_large(level, entry))
            continue;
        walk.page_size = UINT64_C(1) << level->shift;
        walk.gpa = memctx_paging_page(format, entry, walk.page_size) |
                   (gva & (walk.page_size - 1));
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
