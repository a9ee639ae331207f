/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What leads to a Linux kernel in RAM: its VMCOREINFO, as an ELF note or as a
 * bare text, or a page that has the shape of its root. */
#ifndef MEMCTX_LINUX_CLUE_H
#define MEMCTX_LINUX_CLUE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/guest.h"

/* See memctx_guest_ops. */
uint64_t memctx_linux_follow(const struct memctx_rammap *map,
                             memctx_clue_fn *clue, void *arg);
void memctx_linux_scan(const struct memctx_block *block, memctx_clue_fn *clue,
                       void *arg);
struct memctx_range memctx_linux_hides(const struct memctx_block *block,
                                       bool thorough);

#endif
