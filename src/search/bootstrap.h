/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds the kernel that runs in one domain: searches, try after try, and proves
 * that the kernel found is running.
 *
 * After a cold start RAM never held another kernel, so the static checks are
 * enough. In every other case (reset, restore, an agent that was started later)
 * the kernel must also be seen alive. */
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
    bool paused;           /* no kernel can be seen alive: look at all RAM, and
                              take a kernel only if it is the only one */
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

/* Take over a kernel that an earlier bootstrap found in this RAM. It counts as
 * found by this one, and its clue is looked at first. It has yet to be seen
 * running. */
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

/* Is the kernel that was found still there? 0, or -1 with RETRY (it is gone, or
 * none was found), GONE or BUG. Reads a few pages. If the clue that led to the
 * kernel is gone, it is searched for again: that reads up to this many bytes,
 * in 0.1 s of CPU time. */
#define MEMCTX_BOOTSTRAP_LOOK_BYTES MEMCTX_GIB
int memctx_bootstrap_verify(struct memctx_bootstrap *bootstrap,
                            const struct memctx_rammap *map,
                            const struct memctx_bootstrap_request *request,
                            struct memctx_bootstrap_result *ret,
                            struct memctx_error *err);

/* Which clocks of the kernel tick? The first call notes what they show, unless
 * a try has done so. Later calls tell which have moved; ret->n is 0 until some
 * have. -1 with RETRY (it has no clocks, or they cannot be read), GONE or BUG.
 */
int memctx_bootstrap_words(struct memctx_bootstrap *bootstrap,
                           const struct memctx_rammap *map, uint64_t now_us,
                           struct memctx_words *ret, struct memctx_error *err);

#endif
