/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a format of page tables is, for those who walk them or go through all
 * they map.
 *
 * To add a format: its enum, and a row in the table in format.c that says how
 * each level cuts the address and reads its entries; its name in memctx.rng and
 * in man/memctx-datum.pod; for each tool that can walk it, the tool's word in
 * src/export. */
#ifndef MEMCTX_PAGING_FORMAT_H
#define MEMCTX_PAGING_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum memctx_paging {
    MEMCTX_PAGING_UNKNOWN = 0,
    MEMCTX_PAGING_X86_64_4LEVEL,
    MEMCTX_PAGING_X86_64_5LEVEL,
    MEMCTX_PAGING_X86_PAE,
    MEMCTX_PAGING_X86_2LEVEL,
    /* aarch64: granule, bits of a virtual address (64 - TCR_EL1.T1SZ) */
    MEMCTX_PAGING_AARCH64_4K_39,
    MEMCTX_PAGING_AARCH64_4K_47,
    MEMCTX_PAGING_AARCH64_4K_48,
    MEMCTX_PAGING_AARCH64_4K_52,
    MEMCTX_PAGING_AARCH64_16K_36,
    MEMCTX_PAGING_AARCH64_16K_47,
    MEMCTX_PAGING_AARCH64_16K_48,
    MEMCTX_PAGING_AARCH64_16K_52,
    MEMCTX_PAGING_AARCH64_64K_42,
    MEMCTX_PAGING_AARCH64_64K_48,
    MEMCTX_PAGING_AARCH64_64K_52,
    MEMCTX_PAGINGS
};

/* Bits of a table entry of x86 (SDM table 4-20) that callers ask for; the first
 * is the same on aarch64. */
#define MEMCTX_PTE_PRESENT UINT64_C(0x1)
#define MEMCTX_PTE_WRITE UINT64_C(0x2)
#define MEMCTX_PTE_USER UINT64_C(0x4)
#define MEMCTX_PTE_LARGE UINT64_C(0x80)
#define MEMCTX_PTE_NX (UINT64_C(1) << 63)
#define MEMCTX_PTE_FRAME UINT64_C(0x000ffffffffff000)

#define MEMCTX_PAGING_LEVELS_MAX 5

#define MEMCTX_PTE_BITS(high, low) \
    ((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))

/* Some bits of an entry, and what they are when it means "yes". */
struct memctx_paging_bits {
    uint64_t mask;
    uint64_t value;
};

static inline bool
memctx_paging_is(const struct memctx_paging_bits *bits, uint64_t entry)
{
    return (entry & bits->mask) == bits->value;
}

/* The bits of an entry that are an address: most stand where they belong, some
 * `up` bits below. */
struct memctx_paging_address {
    uint64_t in_place;
    uint64_t moved;
    uint8_t up;
};

struct memctx_paging_rights {
    struct memctx_paging_bits write;
    struct memctx_paging_bits user;
    struct memctx_paging_bits execute; /* by the kernel */
};

/* How the entries of one architecture, or of one extension of it, are read. */
struct memctx_paging_encoding {
    struct memctx_paging_bits large;     /* a page, not a table, where there is
                                            a choice */
    struct memctx_paging_address small;  /* in a table, or page of level 1 */
    struct memctx_paging_address big;    /* in a large page */
    struct memctx_paging_rights page;    /* what an entry allows that maps */
    struct memctx_paging_rights through; /* ... that leads to a table */
};

/* What an entry of one level is. */
struct memctx_paging_level {
    uint8_t shift; /* lowest bit of the gva that picks the entry */
    bool large;    /* it may map a page */
    bool rights;   /* its rights count */
    /* What every present entry has that is a table, or a page of level 1; and
     * what one has that is a large page. */
    struct memctx_paging_bits good;
    struct memctx_paging_bits large_good;
};

/* Which bits of a virtual address above those translated are right. */
enum memctx_paging_above {
    MEMCTX_ABOVE_ZEROS, /* all are 0 */
    MEMCTX_ABOVE_SIGN,  /* they repeat the last */
    MEMCTX_ABOVE_ONES,  /* all are 1: the root maps an upper range only */
};

/* The processor that reads such tables. */
struct memctx_paging_arch {
    uint16_t elf_machine;  /* EM_X86_64, EM_386 or EM_AARCH64 of <elf.h> */
    uint8_t pointer_bytes; /* 4 or 8 */
};

/* What differs between the formats. */
struct memctx_paging_format {
    const char *name; /* in the datum; nothing is read out of it */
    const struct memctx_paging_arch *arch;
    uint8_t levels;
    uint8_t va_bits; /* bits of a virtual address that are translated */
    enum memctx_paging_above above;
    uint8_t entry_bytes; /* 4 or 8 */
    const struct memctx_paging_encoding *encoding;
    const struct memctx_paging_level
        *level; /* [levels] is the root, [1] the last */
};

/* The name used in the datum ("x86_64-4level"), NULL for unknown. */
const char *memctx_paging_name(enum memctx_paging paging);

/* The reverse; MEMCTX_PAGING_UNKNOWN for a name that is none of ours. */
enum memctx_paging memctx_paging_from_name(const char *name);

/* The paging of aarch64 with this granule in bytes and so many bits of virtual
 * address; MEMCTX_PAGING_UNKNOWN: no system has such. */
enum memctx_paging memctx_paging_aarch64(uint64_t granule, uint64_t va_bits);

/* Bytes that a root table of this format takes, which is also how it is
 * aligned: 4096, or 32 with PAE (SDM 4.4.1); 16 to 65536 on aarch64, where a
 * root is aligned to 64 at least. */
uint64_t memctx_paging_root_size(enum memctx_paging paging);

/* The format of a known paging. Any thread. */
const struct memctx_paging_format *memctx_paging_format(
    enum memctx_paging paging);

/* How many bits of a gva pick an entry at level n: those up to the next. */
static inline unsigned
memctx_paging_index_bits(const struct memctx_paging_format *format, int n)
{
    unsigned end =
        n == format->levels ? format->va_bits : format->level[n + 1].shift;
    return end - format->level[n].shift;
}

/* Where in a table of level n the entry of gva stands, in bytes. */
static inline uint64_t
memctx_paging_entry_at(const struct memctx_paging_format *format, int n,
                       uint64_t gva)
{
    uint64_t index =
        gva >> format->level[n].shift &
        MEMCTX_PTE_BITS(memctx_paging_index_bits(format, n) - 1, 0);
    return index * format->entry_bytes;
}

static inline bool
memctx_paging_is_large(const struct memctx_paging_format *format, int n,
                       uint64_t entry)
{
    return format->level[n].large &&
           memctx_paging_is(&format->encoding->large, entry);
}

/* Is this present entry one that a processor takes? */
static inline bool
memctx_paging_is_good(const struct memctx_paging_format *format, int n,
                      uint64_t entry)
{
    const struct memctx_paging_level *level = &format->level[n];
    return memctx_paging_is(memctx_paging_is_large(format, n, entry)
                                ? &level->large_good
                                : &level->good,
                            entry);
}

static inline uint64_t
memctx_paging_address(const struct memctx_paging_address *address,
                      uint64_t entry)
{
    return (entry & address->in_place) | (entry & address->moved)
                                             << address->up;
}

/* Where the table begins that this entry of a level above 1 leads to. */
static inline uint64_t
memctx_paging_table(const struct memctx_paging_format *format, uint64_t entry)
{
    return memctx_paging_address(&format->encoding->small, entry);
}

/* Where the page begins that this entry of level n maps. */
static inline uint64_t
memctx_paging_page(const struct memctx_paging_format *format, int n,
                   uint64_t entry)
{
    const struct memctx_paging_encoding *encoding = format->encoding;
    if (n == 1)
        return memctx_paging_address(&encoding->small, entry);
    uint64_t size = UINT64_C(1) << format->level[n].shift;
    return memctx_paging_address(&encoding->big, entry) & ~(size - 1);
}

#endif
