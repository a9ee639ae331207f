/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One domain's way to its running kernel: the search, try after try, and the
 * proof that what was found runs.
 *
 * After a cold start RAM never held another kernel, and what passes the static
 * checks is the one. In every other case (reset, restore, an agent that came
 * later) it must also be alive. */
#ifndef MEMCTX_BOOTSTRAP_H
#define MEMCTX_BOOTSTRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/kernel.h"
#include "guest/words.h"
#include "ram/rammap.h"

struct memctx_bootstrap; /* one try at a time, from any thread */

struct memctx_bootstrap_request {
    uint64_t now_us;       /* monotonic */
    uint64_t budget_bytes; /* of RAM to read, about; 0: no limit */
    bool cold;             /* RAM never held an earlier kernel */
    bool paused;           /* nothing can prove to be alive: look at all RAM
                              and take what is the only kernel there */
    const struct memctx_kernel *known; /* NULL, or one that was seen running
                                          just now: it counts as alive */
};

struct memctx_bootstrap_result {
    struct memctx_kernel kernel; /* the one, or the one that is pending */
    bool pending;        /* on failure: a kernel passed all static checks, but
                            has not been seen alive yet */
    bool alive;          /* it was seen alive */
    unsigned candidates; /* kernels that passed the static checks */
    uint64_t bytes_read;
};

/* 0, or -1 with EXHAUSTED. The caller destroys it; NULL is fine there. */
int memctx_bootstrap_create(struct memctx_bootstrap **ret,
                            struct memctx_error *err);
void memctx_bootstrap_destroy(struct memctx_bootstrap *bootstrap);

/* The guest was reset: all RAM is to be looked at again. */
void memctx_bootstrap_new_boot(struct memctx_bootstrap *bootstrap);

/* One try on `map`, which must be the same map at every try. What it takes
 * beside its budget is up to the map's work, here and below. 0 and a kernel,
 * or -1 with RETRY (not yet), GONE or EXHAUSTED; *ret is filled in both cases.
 */
int memctx_bootstrap_try(struct memctx_bootstrap *bootstrap,
                         const struct memctx_rammap *map,
                         const struct memctx_bootstrap_request *request,
                         struct memctx_bootstrap_result *ret,
                         struct memctx_error *err);

/* A kernel that an earlier bootstrap found in this RAM: it counts as found by
 * this one, and its clue is looked at first. Whether it runs has yet to be
 * seen. */
void memctx_bootstrap_adopt(struct memctx_bootstrap *bootstrap,
                            const struct memctx_kernel *kernel);

/* Has one of the kernels that the last try left pending been seen running by
 * now? 0 and that kernel, which then counts as found; -1 with RETRY and
 * ret->pending: none yet; RETRY: none is pending; GONE or BUG. Reads clocks,
 * and proves what ticks once more. */
int memctx_bootstrap_watch(struct memctx_bootstrap *bootstrap,
                           const struct memctx_rammap *map,
                           const struct memctx_bootstrap_request *request,
                           struct memctx_bootstrap_result *ret,
                           struct memctx_error *err);

/* Is the kernel still there that was found? 0, or -1 with RETRY: it is gone or
 * was never found; GONE or BUG. Reads a few pages, or, in 0.1 s of CPU, up to
 * so much where what led to the kernel is no longer there and it is looked for
 * anew. */
#define MEMCTX_BOOTSTRAP_LOOK_BYTES MEMCTX_GIB
int memctx_bootstrap_verify(struct memctx_bootstrap *bootstrap,
                            const struct memctx_rammap *map,
                            const struct memctx_bootstrap_request *request,
                            struct memctx_bootstrap_result *ret,
                            struct memctx_error *err);

/* Which clocks of the kernel that was found tick? The first call notes them, if
 * no try has; later ones tell: ret->n is 0 until some did. -1 with RETRY: it
 * has none, or they cannot be read; GONE or BUG. */
int memctx_bootstrap_words(struct memctx_bootstrap *bootstrap,
                           const struct memctx_rammap *map, uint64_t now_us,
                           struct memctx_words *ret, struct memctx_error *err);

#endif
