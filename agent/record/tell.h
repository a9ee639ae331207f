/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a record tells people: the reason for its state, and lines in the log.
 * Loop thread. */
#ifndef MEMCTXD_TELL_H
#define MEMCTXD_TELL_H

#include "record/state.h"

/* Set the reason that goes with the phase just entered. `result`: of the try
 * that ended, or NULL. */
void tell_reason(struct record *record, enum memctx_event event,
                 const struct adapter_result *result);

/* Log it if the state that others see has changed. `attempt`: number of the try
 * that ended, or 0. */
void tell_change(struct record *record, const struct record_appearance *before,
                 enum memctx_event event, unsigned attempt);

/* Log crashes and kills of its probers, which the guest may have caused. */
void tell_faults(struct record *record);

/* If changes came too fast to be logged one by one, log the present state when
 * it is time. */
void tell_late(struct record *record, uint64_t now_ms);

#endif
