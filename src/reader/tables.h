/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guest RAM for page-table walks: what was read of it is kept for a moment, so
 * that a walk costs no system call most of the time. */
#ifndef MEMCTX_TABLES_H
#define MEMCTX_TABLES_H

#include <stdint.h>

#include "base/error.h"
#include "ram/rammap.h"

struct tables;

/* For the RAM in `map`, which must outlive it. Errors of that map are put into
 * *failure, since what a backend says is an errno. The caller destroys it. -1
 * with EXHAUSTED (out of memory). */
int tables_create(const struct memctx_rammap *map, struct memctx_error *failure,
                  struct tables **ret, struct memctx_error *err);
void tables_destroy(struct tables *tables); /* NULL is fine */

/* The same extents, to be read in small pieces. */
const struct memctx_rammap *tables_map(const struct tables *tables);

/* It is now_us: what was read more than half a millisecond ago is forgotten. */
void tables_set_time(struct tables *tables, uint64_t now_us);

#endif
