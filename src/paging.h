/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Walks x86-64 page tables in guest RAM, with 4 and 5 levels. It believes no
 * entry: a table outside RAM or a reserved bit ends the walk.
 * Source: Intel SDM vol. 3A, 4.5 "4-level paging and 5-level paging". */
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
    uint64_t page_size; /* bytes: 4 KiB, 2 MiB or 1 GiB */
    bool writable;
    bool user;
    bool executable;
};

/* The name used in the datum ("x86_64-4level"), NULL for unknown. */
const char *memctx_paging_name(enum memctx_paging paging);

/* The reverse; MEMCTX_PAGING_UNKNOWN for a name that is none of ours. */
enum memctx_paging memctx_paging_from_name(const char *name);

/* Walk `gva` through the root table at root_gpa (4 KiB aligned). 0 and *ret,
 * or -1 with RETRY: not canonical, not mapped, a reserved bit set, a table
 * outside RAM (the message says at which level and what was found); GONE: the
 * backing was truncated. At most 5 reads of 8 bytes. Any thread. */
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
