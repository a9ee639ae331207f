/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum that a record holds: taken, said to the world, marked, withdrawn;
 * and the epoch by which readers know it. Loop thread. */
#ifndef MEMCTXD_HOLD_H
#define MEMCTXD_HOLD_H

#include "record/state.h"

/* Let go of the map of RAM. What the adapter closes must not be held open. */
void hold_drop_map(struct record *record);

/* Let go of the datum, its map and what was known of it. Nobody is told. */
void hold_drop(struct record *record);

/* Let go of what stood in the metadata of a run that no agent knew. */
void hold_drop_unproven(struct record *record);

/* Readers learn from the state page what the record's phase means for them. */
void hold_show(struct record *record);

/* From now on no reader's epoch is the one that is shown. */
void hold_end(struct record *record);

/* So many kernels were counted in this run, at least. */
void hold_count_up_to(struct record *record, unsigned generation);

/* Is the datum of the kernel that was found last? The same kernel found again
 * is the same generation. */
bool hold_is_last_kernel(const struct record *record,
                         const struct memctx_datum *datum);

/* A try found a kernel that runs: its datum is the domain's. Takes what it
 * needs out of *result. */
void hold_publish(struct record *record, struct adapter_result *result);

/* A try found a kernel that does not run, or of which nobody knows whether it
 * does. One that nobody has seen running stands in no metadata. NULL, or no
 * datum in *result: nothing is done. */
void hold_keep(struct record *record, struct adapter_result *result);

/* The same, and the datum says that its kernel does not run. */
void hold_mark(struct record *record, struct adapter_result *result);

/* The kernel moves again. */
void hold_unmark(struct record *record);

/* What the next agent should know of the run changed, and nothing else. */
void hold_remember(struct record *record);

/* Withdraw what stands published. Nothing, if nothing does. */
void hold_withdraw(struct record *record);

#endif
