/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The door of this room: each function finds by itself what it needs, and makes
 * what memctx.h declares. Commands and libmemctx come through here.
 *
 * They return 0 and *ret, which the caller frees, or -1 with RETRY (it cannot
 * be read, makes no sense, or no work is left), PERMANENT (this kernel does not
 * tell, or is of another system) or EXHAUSTED. A list that broke off is a list
 * if there is something in it. */
#ifndef MEMCTX_EXPLAIN_H
#define MEMCTX_EXPLAIN_H

#include "explain/figures.h"
#include "explain/landmarks.h"
#include "explain/target.h"
#include "memctx.h"

/* The steps of work that none of these takes more of. */
#define MEMCTX_EXPLAIN_STEPS (UINT64_C(1) << 22)

/* The target is for Linux; the kernel may be Windows. */
int memctx_explain_processes(struct memctx_target *target,
                             struct memctx_process_list **ret,
                             struct memctx_error *err);

int memctx_explain_modules(struct memctx_target *target,
                           struct memctx_module_list **ret,
                           struct memctx_error *err);

/* A kernel without types or symbols still has some figures: -1 with EXHAUSTED
 * only. */
int memctx_explain_stat(struct memctx_target *target, struct memctx_stat **ret,
                        struct memctx_error *err);

/* The figures of one of these, and its processes: false if they are not
 * known. */
const struct memctx_figures *memctx_stat_figures(
    const struct memctx_stat *stat);
bool memctx_stat_processes(const struct memctx_stat *stat, size_t *n);

/* The kernel's symbols and its modules'. */
int memctx_explain_symbols(struct memctx_target *target,
                           struct memctx_symbols **ret,
                           struct memctx_error *err);

/* Are there modules, as the list at this address (0: not known) says? 1, 0, or
 * -1 as above. */
int memctx_explain_has_modules(struct memctx_target *target,
                               uint64_t modules_gva, struct memctx_error *err);

/* Add those of all modules that are loaded now to others; it takes the kernel's
 * types. -1 with those that were found up to then. */
int memctx_explain_module_symbols(struct memctx_target *target,
                                  const struct memctx_landmarks *landmarks,
                                  struct memctx_symbols *symbols,
                                  struct memctx_error *err);

/* Scope guards. */
void memctx_process_list_cleanup(struct memctx_process_list **list);
void memctx_module_list_cleanup(struct memctx_module_list **list);
void memctx_stat_cleanup(struct memctx_stat **stat);

#endif
