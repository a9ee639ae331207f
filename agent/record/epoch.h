/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which kernel of one run of a domain is known to run now, as a number: for
 * threads that serve readers, and for readers as the state page. */
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

/* A number that names one kernel in one layout: none that this host's agents
 * have given before, so that a reader of another run believes nothing. Loop
 * thread. */
uint64_t epoch_next(void);

/* What is the case now; readers see it at once. Loop thread. */
void epoch_set(struct epoch *epoch, uint64_t value);

/* The kernel of this number is silent: readers that asked for such a one go on,
 * others see STATEPAGE_UNKNOWN. Loop thread. */
void epoch_set_silent(struct epoch *epoch, uint64_t kernel);

/* Any thread. */
uint64_t epoch_get(const struct epoch *epoch);

/* The number of the silent kernel, STATEPAGE_UNKNOWN: there is none. Any
 * thread. */
uint64_t epoch_get_silent(const struct epoch *epoch);

/* Open the state page for reading, which is made if there is none yet. 0 and a
 * descriptor that the caller closes; -1 with EXHAUSTED: no memory or
 * descriptors. Loop thread. */
int epoch_open_page(struct epoch *epoch, int *ret, struct memctx_error *err);

#endif
