/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Walks page tables in guest RAM: those of x86 with 4 and 5 levels, PAE, and
 * the old two; those of aarch64 that TTBR1_EL1 points at, with every granule
 * and size that Linux has. It believes no entry: a table outside RAM or a
 * reserved bit ends the walk. Sources: Intel SDM vol. 3A, 4.3 "32-bit paging",
 * 4.4 "PAE paging", 4.5 "4-level paging and 5-level paging"; Arm ARM (DDI
 * 0487), D8 "The AArch64 Virtual Memory System Architecture".
 *
 * To add a format: its enum, and a row in the table in paging_format.c that
 * says how each level cuts the address and reads its entries; its name in
 * memctx.rng and in man/memctx-datum.pod. */
#ifndef MEMCTX_PAGING_H
#define MEMCTX_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ram/rammap.h"

enum memctx_paging {
    MEMCTX_PAGING_UNKNOWN = 0,
    MEMCTX_PAGING_X86_64_4LEVEL,
    MEMCTX_PAGING_X86_64_5LEVEL,
    MEMCTX_PAGING_X86_PAE,
    MEMCTX_PAGING_X86_2LEVEL,
    /* aarch64: granule, bits of a virtual address (64 - TCR_EL1.T1SZ) */
    MEMCTX_PAGING_AARCH64_4K_39,
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

/* Where a virtual address leads, and with which rights over all levels. */
struct memctx_walk {
    uint64_t gpa;       /* of the byte asked for; not necessarily RAM */
    uint64_t page_size; /* bytes: from 4 KiB to 4 TiB */
    bool writable;      /* as the tables say: not on aarch64 with FEAT_S1PIE */
    bool user;
    bool executable; /* by the kernel */
};

/* The name used in the datum ("x86_64-4level"), NULL for unknown. */
const char *memctx_paging_name(enum memctx_paging paging);

/* The reverse; MEMCTX_PAGING_UNKNOWN for a name that is none of ours. */
enum memctx_paging memctx_paging_from_name(const char *name);

/* The paging of aarch64 with this granule in bytes and so many bits of virtual
 * address; MEMCTX_PAGING_UNKNOWN: Linux has no such. */
enum memctx_paging memctx_paging_aarch64(uint64_t granule, uint64_t va_bits);

/* Bytes that a root table of this format takes, which is also how it is
 * aligned: 4096, or 32 with PAE (SDM 4.4.1); 16 to 65536 on aarch64, where a
 * root is aligned to 64 at least. */
uint64_t memctx_paging_root_size(enum memctx_paging paging);

/* Walk `gva` through the root table at root_gpa (aligned to its size). 0 and
 * *ret, or -1 with RETRY: not canonical, not mapped, a reserved bit set, a
 * table outside RAM (the message says at which level and what was found); GONE:
 * the backing was truncated. At most 5 reads of 8 bytes each. Any thread. */
int memctx_paging_walk(const struct memctx_rammap *map,
                       enum memctx_paging paging, uint64_t root_gpa,
                       uint64_t gva, struct memctx_walk *ret,
                       struct memctx_error *err);

/* Read len_bytes at gva, one walk a page. Errors as for the walk, or as for
 * memctx_rammap_read(); buf is then undefined. Any thread. */
int memctx_paging_read(const struct memctx_rammap *map,
                       enum memctx_paging paging, uint64_t root_gpa,
                       uint64_t gva, void *buf, size_t len_bytes,
                       struct memctx_error *err);

#endif
