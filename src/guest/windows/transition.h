/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Pages that Windows has taken out of an address space and that are still in
 * RAM: their entries are not present and say "in transition". */
#ifndef MEMCTX_WINDOWS_TRANSITION_H
#define MEMCTX_WINDOWS_TRANSITION_H

#include <stdint.h>

#include "paging/view.h"

/* See memctx_paging_soft_fn. Any thread. */
uint64_t memctx_windows_soft(const struct memctx_rammap *map, uint64_t entry);

/* memctx_view_init() of a view that reads such pages, too. */
void memctx_windows_view_init(struct memctx_view *view,
                              const struct memctx_rammap *map,
                              enum memctx_paging paging, uint64_t root_gpa);

#endif
