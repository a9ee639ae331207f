/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel in raw RAM, which does not say where it is split: the kernel does,
 * or nobody. */
#ifndef MEMCTX_RAWRAM_H
#define MEMCTX_RAWRAM_H

#include "backing/ram.h"
#include "memctx/trail.h"
#include "search/search.h"

/* Look for a kernel in all of this RAM, in one layout, and show the trail: that
 * of RAM of which `low` bytes are taken to be below 4 GiB (0: nothing is
 * assumed). As memctx_search_try(). */
int rawram_look(const struct memctx_rammap *map, uint64_t low,
                struct trail *trail, struct memctx_search_result *result,
                struct memctx_error *err);

/* Look for a kernel in RAM of which `low` bytes are said to be below 4 GiB (0:
 * nothing is said), then in the layouts that machines have for so much RAM, and
 * in those that a kernel demands that was found. 0, *result, the proof of the
 * layout, and in *ram the map that it was found in; -1 as memctx_search_try(),
 * of the first layout. To be called in a sandbox. */
int rawram_find(struct ram *ram, uint64_t low, struct trail *trail,
                struct memctx_search_result *result,
                enum memctx_layout_proof *proof, struct memctx_error *err);

#endif
