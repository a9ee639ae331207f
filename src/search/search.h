/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The cold bootstrap: one try after the other at finding a kernel in a RAM
 * map, each bounded in what it reads, remembering what was looked at before.
 *
 * Order of one try: places where a clue was before; where a guest's own
 * structures lead; a part of RAM where clues often are; RAM that was a hole at
 * the last try; then on from where the last try stopped, round and round. A try
 * that asks for `all` reads all RAM once. */
#ifndef MEMCTX_SEARCH_H
#define MEMCTX_SEARCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "search/guests.h"
#include "ram/rammap.h"

#define MEMCTX_KERNELS_MAX 8

/* What a search remembers between tries; belongs to one RAM map. Not thread
 * safe: one try at a time. */
struct memctx_search;

struct memctx_search_request {
    uint64_t budget_bytes;     /* read at most about this much; 0: no limit */
    bool all;                  /* look at all RAM once, from its beginning, and
                                  do not stop at a kernel */
    const atomic_bool *cancel; /* NULL, or: leave soon once it is true */
    /* NULL, or: a kernel that passed all checks counts only if this says so.
       Called for every clue that leads to a kernel, so maybe twice for one. */
    bool (*accept)(const struct memctx_kernel *kernel, void *arg);
    void *accept_arg;
};

/* What was seen of one system. */
struct memctx_search_seen {
    uint64_t n_clues;
    unsigned passed; /* checks, by the clue that came farthest */
};

struct memctx_search_result {
    struct memctx_kernel kernels[MEMCTX_KERNELS_MAX]; /* distinct, verified */
    size_t n_kernels;
    uint64_t n_clues; /* looked into in this try */
    struct memctx_search_seen seen[MEMCTX_OSES];
    uint64_t ram_gpa;    /* a kernel was not found because RAM begins there on
                            its machine, not at 0 as here; 0: none */
    uint64_t bytes_read; /* by the search itself, without the proofs */
};

/* Of several kernels that were found, the index of the one that a reader of a
 * dump wants: the one whose wall clock shows the latest time, since that of an
 * earlier boot stands still; without any clock, the one found first. */
size_t memctx_search_latest(const struct memctx_search_result *result);

/* 0, or -1 with BUG (out of memory). The caller destroys it. */
int memctx_search_create(struct memctx_search **ret, struct memctx_error *err);
void memctx_search_destroy(struct memctx_search *search);

/* Forget what was looked at (the guest was reset), keep where clues were. */
void memctx_search_reset(struct memctx_search *search);

/* One try. 0 and at least one kernel in *ret; or -1 with RETRY and a sentence
 * that says for each system what was looked for, how many candidates there were
 * and which check the one failed that came farthest, or GONE;
 * *ret then still tells clues and bytes. Any thread, one at a time. */
int memctx_search_try(struct memctx_search *search,
                      const struct memctx_rammap *map,
                      const struct memctx_search_request *request,
                      struct memctx_search_result *ret,
                      struct memctx_error *err);

/* Is the kernel that was found still there? Runs the proofs of its system
 * again, from the clue that led to it. 0, or -1 with RETRY: which check failed,
 * or that another kernel is there now; GONE. Reads a few pages. Any thread. */
int memctx_search_verify(const struct memctx_rammap *map,
                         const struct memctx_kernel *kernel,
                         struct memctx_error *err);

#endif
