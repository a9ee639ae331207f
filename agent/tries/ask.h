/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Makes tasks for an adapter's prober. */
#ifndef MEMCTXD_ASK_H
#define MEMCTXD_ASK_H

#include "tries/state.h"

/* Search, as was ordered. */
void ask_try(struct adapter *adapter);

/* Does a kernel run by now that was pending? That is to be asked rather than
 * to search again, as long as ask_wants_watch(). */
void ask_watch(struct adapter *adapter);
bool ask_wants_watch(const struct adapter *adapter);

/* Is the kernel still there that was found, and which of its words move within
 * wait_us? */
void ask_words(struct adapter *adapter, uint64_t wait_us);

/* Do its last messages say that it has panicked? That is to be asked only if
 * ask_can_read(): there is such a kernel. */
void ask_last_words(struct adapter *adapter);
bool ask_can_read(const struct adapter *adapter);

#endif
