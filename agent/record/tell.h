/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a record says: the reason for its state, and lines in the log. Loop
 * thread. */
#ifndef MEMCTXD_TELL_H
#define MEMCTXD_TELL_H

#include "record/state.h"

/* Set the reason that goes with the phase just entered. `result`: of the try
 * that ended, or NULL. */
void tell_reason(struct record *record, enum memctx_event event,
                 const struct adapter_result *result);

/* Log that others see another state than before. `attempt`: of the try that
 * ended, or 0. */
void tell_change(struct record *record, const struct record_appearance *before,
                 enum memctx_event event, unsigned attempt);

/* Log what its guest may have done with a prober. */
void tell_faults(struct record *record);

/* Changes that came too fast to be told one by one: say what has become of the
 * domain, if it is time. */
void tell_late(struct record *record, uint64_t now_ms);

#endif
