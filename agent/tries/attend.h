/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the heartbeat does for one adapter. */
#ifndef MEMCTXD_ATTEND_H
#define MEMCTXD_ATTEND_H

#include "tries/state.h"

/* Have the heartbeat listen to what it should listen to by now: to the clock
 * words of a kernel that was found if the record wants that, or else, while one
 * is pending, to what the CPUs use. What was heard before is void if that is
 * something else than before. */
void attend(struct adapter *adapter);

/* Have it listen to nothing, and let go of RAM. */
void attend_stop(struct adapter *adapter);

#endif
