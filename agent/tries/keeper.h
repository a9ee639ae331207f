/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The thread that keeps all probers: launches them, gives turns, hears answers,
 * and ends what has gone on for too long. */
#ifndef MEMCTXD_KEEPER_H
#define MEMCTXD_KEEPER_H

#include "tries/client.h"

/* The thread itself; arg is the struct tries. It ends once tries->stopping is
 * set and all probers have ended, or the kernel does not let go of them. */
void *keeper_run(void *arg);

#endif
