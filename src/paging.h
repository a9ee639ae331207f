/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Walks x86 page tables in guest RAM: 4 and 5 levels, PAE, and the old two. It
 * believes no entry: a table outside RAM or a reserved bit ends the walk.
 * Source: Intel SDM vol. 3A, 4.3 "32-bit paging", 4.4 "PAE paging", 4.5
 * "4-level paging and 5-level paging".
 *
 * To add a format: its enum, and a row in the table in paging.c that says how
 * each level cuts the address and reads its entries; its name in memctx.rng and
 * in man/memctx-datum.pod. */
#ifndef MEMCTX_PAGING_H
#define MEMCTX_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "rammap.h"

enum memctx_paging {
    MEMCTX_PAGING_UNKNOWN = 0,
    MEMCTX_PAGING_X86_64_4LEVEL,
    MEMCTX_PAGING_X86_64_5LEVEL,
    MEMCTX_PAGING_X86_PAE,
    MEMCTX_PAGING_X86_2LEVEL,
    MEMCTX_PAGINGS
};

/* Bits of a table entry (SDM table 4-20) that callers ask for. */
#define MEMCTX_PTE_PRESENT UINT64_C(0x1)
#define MEMCTX_PTE_WRITE UINT64_C(0x2)
#define MEMCTX_PTE_USER UINT64_C(0x4)
#define MEMCTX_PTE_LARGE UINT64_C(0x80)
#define MEMCTX_PTE_NX (UINT64_C(1) << 63)
#define MEMCTX_PTE_FRAME UINT64_C(0x000ffffffffff000)

/* Where a virtual address leads, and with which rights over all levels. */
struct memctx_walk {
    uint64_t gpa;       /* of the byte asked for; not necessarily RAM */
    uint64_t page_size; /* bytes: 4 KiB, 2 MiB, 4 MiB or 1 GiB */
    bool writable;
    bool user;
    bool executable;
};

/* The name used in the datum ("x86_64-4level"), NULL for unknown. */
const char *memctx_paging_name(enum memctx_paging paging);

/* The reverse; MEMCTX_PAGING_UNKNOWN for a name that is none of ours. */
enum memctx_paging memctx_paging_from_name(const char *name);

/* Bytes that a root table of this format takes, which is also how it is
 * aligned: 4096, or 32 with PAE (SDM 4.4.1). */
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
