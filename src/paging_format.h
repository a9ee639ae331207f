/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a format of page tables is, for those who walk them or go through all
 * they map. */
#ifndef MEMCTX_PAGING_FORMAT_H
#define MEMCTX_PAGING_FORMAT_H

#include "bytes.h"
#include "paging.h"

#define MEMCTX_PAGING_LEVELS_MAX 5

#define MEMCTX_PTE_BITS(high, low) \
    ((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))

/* What an entry of one level is. */
struct memctx_paging_level {
    uint8_t shift;           /* lowest bit of the gva that picks the entry */
    uint8_t bits;            /* how many */
    bool large;              /* bit 7 may say that it maps a page */
    bool rights;             /* its W, U and NX count */
    uint64_t reserved;       /* bits that must be 0 where it is a table, or a
                                page of the last level */
    uint64_t large_reserved; /* ... where it is a large page */
};

/* What differs between the formats. */
struct memctx_paging_format {
    const char *name;
    uint8_t levels;
    uint8_t va_bits;     /* bits of a virtual address that are translated */
    bool sign_extended;  /* the bits above repeat the last; else they are 0 */
    uint8_t entry_bytes; /* 4 or 8 */
    uint64_t frame;      /* bits of an entry that are an address */
    const struct memctx_paging_level
        *level; /* [levels] is the root, [1] the last */
};

/* The format of a known paging. Any thread. */
const struct memctx_paging_format *memctx_paging_format(
    enum memctx_paging paging);

static inline bool
memctx_paging_is_large(const struct memctx_paging_level *level, uint64_t entry)
{
    return level->large && (entry & MEMCTX_PTE_LARGE) != 0;
}

/* Bits that must be 0 in this present entry. */
static inline uint64_t
memctx_paging_reserved(const struct memctx_paging_level *level, uint64_t entry)
{
    return memctx_paging_is_large(level, entry) ? level->large_reserved
                                                : level->reserved;
}

/* Where the page begins that this entry maps. */
static inline uint64_t
memctx_paging_page(const struct memctx_paging_format *format, uint64_t entry,
                   uint64_t page_size)
{
    uint64_t gpa = entry & format->frame & ~(page_size - 1);
    if (format->entry_bytes == 4 && page_size > MEMCTX_PAGE_SIZE)
        gpa |= (entry & MEMCTX_PTE_BITS(20, 13)) << 19;
    return gpa;
}

#endif
