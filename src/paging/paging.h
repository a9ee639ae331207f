/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Walks page tables in guest RAM: those of x86 with 4 and 5 levels, PAE, and
 * the old two; those of aarch64 that TTBR1_EL1 points at, with every granule
 * and size that Linux has. It believes no entry: a table outside RAM or a
 * reserved bit ends the walk. Sources: Intel SDM vol. 3A, 4.3 "32-bit paging",
 * 4.4 "PAE paging", 4.5 "4-level paging and 5-level paging"; Arm ARM (DDI
 * 0487), D8 "The AArch64 Virtual Memory System Architecture". */
#ifndef MEMCTX_PAGING_H
#define MEMCTX_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "paging/format.h"
#include "ram/rammap.h"

/* Where a virtual address leads, and with which rights over all levels. */
struct memctx_walk {
    uint64_t gpa;       /* of the byte asked for; not necessarily RAM */
    uint64_t page_size; /* bytes: from 4 KiB to 4 TiB */
    bool writable;      /* as the tables say: not on aarch64 with FEAT_S1PIE */
    bool user;
    bool executable; /* by the kernel */
};

/* An entry of the last level that is not present, as the present one that it
 * stands for: some systems keep a page in RAM behind such an entry. 0: it
 * stands for none. */
typedef uint64_t memctx_paging_soft_fn(const struct memctx_rammap *map,
                                       uint64_t entry);

/* Walk `gva` through the root table at root_gpa (aligned to its size). 0 and
 * *ret, or -1 with RETRY: not canonical, not mapped, a reserved bit set, a
 * table outside RAM (the message says at which level and what was found); GONE:
 * the backing was truncated. At most 5 reads of 8 bytes each. Any thread. */
int memctx_paging_walk(const struct memctx_rammap *map,
                       enum memctx_paging paging, uint64_t root_gpa,
                       uint64_t gva, struct memctx_walk *ret,
                       struct memctx_error *err);

/* The same, where soft() is asked for what a processor would not map; it may be
 * NULL. */
int memctx_paging_walk_soft(const struct memctx_rammap *map,
                            enum memctx_paging paging, uint64_t root_gpa,
                            uint64_t gva, memctx_paging_soft_fn *soft,
                            struct memctx_walk *ret, struct memctx_error *err);

/* Read len_bytes at gva, one walk a page. Errors as for the walk, or as for
 * memctx_rammap_read(); buf is then undefined. Any thread. */
int memctx_paging_read(const struct memctx_rammap *map,
                       enum memctx_paging paging, uint64_t root_gpa,
                       uint64_t gva, void *buf, size_t len_bytes,
                       struct memctx_error *err);

/* The same, with walks through another map of the same RAM. */
int memctx_paging_read_by(const struct memctx_rammap *tables,
                          const struct memctx_rammap *map,
                          enum memctx_paging paging, uint64_t root_gpa,
                          uint64_t gva, void *buf, size_t len_bytes,
                          struct memctx_error *err);

/* Reads what it can at gva, at least one byte and at most *len_bytes, and says
 * in *len_bytes how many. 0, or -1 and an error. */
typedef int memctx_paging_piece_fn(void *arg, uint64_t gva, void *to,
                                   size_t *len_bytes, struct memctx_error *err);

/* Read len_bytes at gva in pieces. Errors as those of piece(), and RETRY when
 * the last gva is passed; buf is then undefined. */
int memctx_paging_read_pieces(memctx_paging_piece_fn *piece, void *arg,
                              uint64_t gva, void *buf, size_t len_bytes,
                              struct memctx_error *err);

#endif
