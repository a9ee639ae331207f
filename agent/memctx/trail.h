/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a user sees of a search while it goes on: a line on a terminal that says
 * how far it is, or with --verbose each step. All on standard error. */
#ifndef MEMCTX_TRAIL_H
#define MEMCTX_TRAIL_H

#include "memctx/progress.h"
#include "ram/rammap.h"
#include "search/split.h"
#include "search/trace.h"

struct trail {
    bool is_verbose;
    struct progress progress;
    uint64_t scanned_bytes; /* of the search that goes on, */
    uint64_t before_bytes;  /* and when it last began from the beginning */
    uint64_t n_failed;      /* candidates of it */
};

/* Before a sandbox is entered. */
void trail_init(struct trail *trail, bool is_verbose);

/* A search in this RAM begins, of which `low` bytes are taken to be below 4 GiB
 * (0: nothing is assumed of that). *ret is for the search's request, and valid
 * as long as the trail. */
void trail_begin(struct trail *trail, const struct memctx_rammap *map,
                 uint64_t low, struct memctx_trace *ret);

/* It ended; `why` NULL: with a kernel. */
void trail_end(struct trail *trail, const struct memctx_error *why);

/* What its kernel says of the layout of RAM. */
void trail_judge(struct trail *trail, enum memctx_split_word word);

#endif
