/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Pages of RAM that may be, or lead to, a root page table of Windows. */
#ifndef MEMCTX_WINDOWS_ROOTS_H
#define MEMCTX_WINDOWS_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/guest.h"

/* Kinds of clue, the best first: few pages look like the low stub, many like a
 * root that maps itself. */
enum memctx_windows_clue {
    MEMCTX_WINDOWS_CLUE_LOW_STUB,
    MEMCTX_WINDOWS_CLUE_PAE_ROOT,
    MEMCTX_WINDOWS_CLUE_SELF_MAP,
    MEMCTX_WINDOWS_CLUES
};

/* Its name in the datum. */
const char *memctx_windows_clue_name(enum memctx_windows_clue clue);

/* A root to be proven. On aarch64 it is what TTBR1_EL1 points at: the upper
 * half of the page at which TTBR0_EL1 points, which maps user space with the
 * lower half, so that the page is one table to the system as on x86-64. */
struct memctx_windows_root {
    uint64_t gpa;
    enum memctx_paging paging;
    enum memctx_windows_clue clue; /* that led to it */
    const unsigned char *table; /* its bytes, or with 64 bits those of its page,
                                   just read; NULL: not read yet */
};

#define MEMCTX_WINDOWS_ROOTS_MAX 6

/* Where in its page the table begins that a root is: see above. Any thread. */
uint64_t memctx_windows_root_offset(enum memctx_paging paging);

/* See memctx_guest_ops: the low stub, which leads to the root; and all pages
 * that are clues. */
uint64_t memctx_windows_follow(const struct memctx_rammap *map,
                               memctx_clue_fn *clue, void *arg);
void memctx_windows_scan(const struct memctx_block *block, memctx_clue_fn *clue,
                         void *arg);

/* Which roots the page at clue_gpa, whose bytes are given, stands for: up to
 * MEMCTX_WINDOWS_ROOTS_MAX, the likeliest first. Returns how many; 0: it is no
 * clue. */
size_t memctx_windows_roots(uint64_t clue_gpa, const unsigned char *page,
                            struct memctx_windows_root *ret);

/* Index of an entry in the upper half of the root table `page` at gpa that
 * leads back to it; -1: there is none. Only for tables of 512 entries. */
int memctx_windows_self_index(uint64_t gpa, const unsigned char *page);

/* Would the page be a root of aarch64 if RAM, which begins at 0 in this map,
 * began at MEMCTX_WINDOWS_ARM_RAM, as on QEMU's machine "virt"? Any thread. */
#define MEMCTX_WINDOWS_ARM_RAM UINT64_C(0x40000000)
bool memctx_windows_roots_is_from(const struct memctx_rammap *map,
                                  uint64_t clue_gpa, const unsigned char *page);

/* Note a root whose image could not be read; of roots with the same mark only
 * one, since every process has one. `likely`: what else is mapped does not
 * speak against it. Only then does it count what led to it. */
void memctx_windows_rivals_add(struct memctx_rivals *rivals,
                               const struct memctx_windows_root *root,
                               uint64_t mark, bool likely);

#endif
