/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The layouts that a guest's RAM may have, if nothing on the host tells which
 * one it has. The RAM itself tells: page tables hold guest-physical addresses,
 * so a kernel can be proven only in the right layout. If all of the kernel lies
 * where the layouts agree, its tables mostly show where the rest of RAM is.
 * Each layout has a bootstrap of its own. */
#ifndef MEMCTX_LAYOUTS_H
#define MEMCTX_LAYOUTS_H

#include "search/bootstrap.h"

struct memctx_layouts; /* one try at a time, from any thread */

/* The steps (ram/work.h) that a call may take if it is to read so many bytes:
 * twice their pages, since everything found may be read twice, and 0.1 s of CPU
 * time in addition. With `all` it is 7 s: in a paused guest, or without a
 * budget, a kernel is to be found at once if there is any. */
uint64_t memctx_layouts_steps(uint64_t bytes, bool all);

struct memctx_layouts_result {
    struct memctx_bootstrap_result found; /* bytes_read: in all layouts */
    size_t layout;                        /* index of the map it is right in */
    enum memctx_layout_proof proof;
};

/* `n` maps of one RAM, from 1 to MEMCTX_LAYOUTS_MAX and the likeliest first,
 * which the caller keeps for as long. 0, or -1 with EXHAUSTED. The caller
 * destroys it; NULL is fine there. */
int memctx_layouts_create(const struct memctx_rammap *const *maps, size_t n,
                          struct memctx_layouts **ret,
                          struct memctx_error *err);
void memctx_layouts_destroy(struct memctx_layouts *layouts);

/* The calls below end early once is_over() says so, as if there were no more of
 * the guest to see. It is asked now and then (ram/work.h), and may be NULL. */
void memctx_layouts_set_over(struct memctx_layouts *layouts,
                             bool (*is_over)(void *arg), void *arg);

/* As in bootstrap.h, for all layouts: they share the budget of a try. If a
 * paused guest has two kernels in layouts that contradict each other, that is
 * RETRY. */
void memctx_layouts_new_boot(struct memctx_layouts *layouts);
int memctx_layouts_try(struct memctx_layouts *layouts,
                       const struct memctx_bootstrap_request *request,
                       struct memctx_layouts_result *ret,
                       struct memctx_error *err);
/* The kernel was found in the map of number `layout`. */
void memctx_layouts_adopt(struct memctx_layouts *layouts,
                          const struct memctx_kernel *kernel, size_t layout);
int memctx_layouts_watch(struct memctx_layouts *layouts,
                         const struct memctx_bootstrap_request *request,
                         struct memctx_layouts_result *ret,
                         struct memctx_error *err);
int memctx_layouts_verify(struct memctx_layouts *layouts,
                          const struct memctx_bootstrap_request *request,
                          struct memctx_layouts_result *ret,
                          struct memctx_error *err);
int memctx_layouts_words(struct memctx_layouts *layouts, uint64_t now_us,
                         struct memctx_words *ret, struct memctx_error *err);

#endif
