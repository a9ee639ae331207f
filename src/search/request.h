/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a search is asked, and what it answers. */
#ifndef MEMCTX_SEARCH_REQUEST_H
#define MEMCTX_SEARCH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/guest.h"
#include "guest/kernel.h"
#include "search/trace.h"

#define MEMCTX_KERNELS_MAX 8

struct memctx_search_request {
    uint64_t budget_bytes; /* read at most about this much; 0: no limit */
    bool all;              /* look at all RAM once, from its beginning, and
                              do not stop at a kernel */
    bool every;            /* with `all`: find also kernels that are not
                              complete yet, or that say nothing about
                              themselves */
    /* NULL, or: a kernel that passed all checks counts only if this says so.
       Called for every clue that leads to a kernel, so maybe twice for one. */
    bool (*accept)(const struct memctx_kernel *kernel, void *arg);
    void *accept_arg;
    /* Kernels that were proven in earlier tries, and stand: clues that lead to
       them need no other proof. Up to MEMCTX_KNOWN_MAX. */
    const struct memctx_kernel *proven;
    size_t n_proven;
    /* NULL, or: rivals that earlier tries have seen. */
    const struct memctx_rivals *rivals;
    /* NULL, or: who is told of each step. */
    const struct memctx_trace *trace;
};

/* What was seen of one system. */
struct memctx_search_seen {
    uint64_t n_clues;
    unsigned passed; /* checks, by the clue that came farthest */
};

struct memctx_search_result {
    struct memctx_kernel kernels[MEMCTX_KERNELS_MAX]; /* distinct, verified */
    size_t n_kernels;
    /* A kernel was left out because a rival may be the one that runs. */
    bool contested;
    struct memctx_rivals rivals; /* seen in this try and before */
    uint64_t n_clues;            /* looked into in this try */
    struct memctx_search_seen seen[MEMCTX_OSES];
    uint64_t ram_gpa;    /* a kernel was not found because RAM begins there on
                            its machine, not at 0 as here; 0: none */
    uint64_t bytes_read; /* by the search itself, without the proofs */
};

#endif
