/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum that a record holds: how it is taken, published, marked and
 * withdrawn; and the epoch by which readers know it. Loop thread. */
#ifndef MEMCTXD_HOLD_H
#define MEMCTXD_HOLD_H

#include "record/state.h"

/* Let go of the map of RAM: RAM that the adapter closes must not stay open. */
void hold_drop_map(struct record *record);

/* Forget the datum, its map and all that was known of it, and tell nobody. */
void hold_drop(struct record *record);

/* Forget the datum that was in the metadata of a run that no agent knew. */
void hold_drop_unproven(struct record *record);

/* Show on the state page what the record's phase means for readers. */
void hold_show(struct record *record);

/* The run is over: from now on every reader's epoch is wrong. */
void hold_end(struct record *record);

/* At least this many kernels were counted in this run. */
void hold_count_up_to(struct record *record, unsigned generation);

/* Is the datum of the kernel that was found last? The same kernel found again
 * is the same generation. */
bool hold_is_last_kernel(const struct record *record,
                         const struct memctx_datum *datum);

/* A try found a kernel that runs: publish its datum. Takes what it needs out of
 * *result. */
void hold_publish(struct record *record, struct adapter_result *result);

/* A try found a kernel that does not run, or of which nobody knows whether it
 * does. Keep its datum. It is in the metadata only if somebody has seen the
 * kernel running. Does nothing if `result` is NULL or has no datum. */
void hold_keep(struct record *record, struct adapter_result *result);

/* The same, and the datum says that its kernel does not run. */
void hold_mark(struct record *record, struct adapter_result *result);

/* The kernel moves again. */
void hold_unmark(struct record *record);

/* Write down what the next agent should know of the run; only that changed. */
void hold_remember(struct record *record);

/* Withdraw the datum, if one is published. */
void hold_withdraw(struct record *record);

#endif
