/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The epoch: a number for the kernel that is known to run now in one run of a
 * domain. Threads that serve readers look at it, and readers see it in the
 * state page. */
#ifndef MEMCTXD_EPOCH_H
#define MEMCTXD_EPOCH_H

#include <stdint.h>

#include "base/error.h"
#include "wire/statepage.h"

struct epoch;

/* Shows STATEPAGE_UNKNOWN. 0, or -1 with EXHAUSTED: out of memory. */
int epoch_create(struct epoch **ret, struct memctx_error *err);

/* One more reference. Any thread. */
struct epoch *epoch_share(struct epoch *epoch);

/* Let go of one reference. NULL is fine. Any thread. */
void epoch_drop(struct epoch *epoch);

/* A new number for one kernel in one layout. No agent on this host has used it
 * before, so a reader from another run cannot take it for its own. Loop thread.
 */
uint64_t epoch_next(void);

/* Set the epoch; readers see it at once. Loop thread. */
void epoch_set(struct epoch *epoch, uint64_t value);

/* The kernel with this number is silent. Readers that asked for silent kernels
 * go on; others see STATEPAGE_UNKNOWN. Loop thread. */
void epoch_set_silent(struct epoch *epoch, uint64_t kernel);

/* Any thread. */
uint64_t epoch_get(const struct epoch *epoch);

/* The number of the silent kernel; STATEPAGE_UNKNOWN if there is none. Any
 * thread. */
uint64_t epoch_get_silent(const struct epoch *epoch);

/* Open the state page for reading; make it if there is none yet. 0 and a
 * descriptor that the caller closes; -1 with EXHAUSTED: no memory or
 * descriptors are left. Loop thread. */
int epoch_open_page(struct epoch *epoch, int *ret, struct memctx_error *err);

#endif
