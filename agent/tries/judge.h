/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What comes of what a prober has answered, or has done wrong: an event for the
 * table of life.h, and what the record is told. */
#ifndef MEMCTXD_JUDGE_H
#define MEMCTXD_JUDGE_H

#include "tries/state.h"

/* How long a kernel that stands published may take to show that it runs when
 * nobody watched it for a while. */
#define JUDGE_PENDING_MAX_US 10000000u

/* ... and how much its CPUs must have used meanwhile for it to count as dead.
 */
#define JUDGE_PENDING_CPU_US 500000u

/* *result has its attempt; the rest is filled in. */
enum life_event judge_outcome(struct adapter *adapter,
                              const struct tries_outcome *outcome,
                              struct adapter_result *result);

/* A kernel that is complete, but not seen running, is waited for. What is
 * pending for too long becomes STILL if the CPUs were busy meanwhile, else
 * RETRY. */
void judge_pending(struct adapter *adapter, struct adapter_result *result);

/* The clock words in an answer. */
struct memctx_words judge_words(const struct memctx_probe_answer *answer);

#endif
