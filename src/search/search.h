/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds kernels in a RAM map, try after try. Each try reads a limited number of
 * bytes, and remembers what was looked at before. bootstrap.h decides which
 * kernel runs.
 *
 * Order of one try: places where a clue was before; where a guest's own
 * structures lead; a part of RAM where clues often are; RAM that was a hole at
 * the last try; then on from where the last try stopped, round and round. A try
 * that asks for `all` reads all RAM once. */
#ifndef MEMCTX_SEARCH_H
#define MEMCTX_SEARCH_H

#include <stddef.h>

#include "base/error.h"
#include "ram/rammap.h"
#include "search/request.h"

/* What a search remembers between tries; belongs to one RAM map. Not thread
 * safe: one try at a time. */
struct memctx_search;

/* The index of the kernel that a reader of a dump wants, if several were found:
 * the one whose wall clock shows the latest time, because that of an earlier
 * boot stands still. Without any clock, the one found first. */
size_t memctx_search_latest(const struct memctx_search_result *result);

/* 0, or -1 with EXHAUSTED (out of memory). The caller destroys it. */
int memctx_search_create(struct memctx_search **ret, struct memctx_error *err);
void memctx_search_destroy(struct memctx_search *search);

/* Forget what was looked at (the guest was reset), keep where clues were. */
void memctx_search_reset(struct memctx_search *search);

/* A clue of a kernel that somebody else has found: it is looked at first. */
void memctx_search_hint(struct memctx_search *search,
                        const struct memctx_kernel *kernel);

/* Make one try. 0 and at least one kernel in *ret. Or -1 with GONE, or with
 * RETRY and a sentence that says for each system what was looked for, how many
 * candidates there were, and which check the best of them failed. *ret has
 * clues and bytes in any case. Any thread, one at a time. */
int memctx_search_try(struct memctx_search *search,
                      const struct memctx_rammap *map,
                      const struct memctx_search_request *request,
                      struct memctx_search_result *ret,
                      struct memctx_error *err);

#endif
