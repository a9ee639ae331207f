/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of systems that the search knows. */
#ifndef MEMCTX_GUESTS_H
#define MEMCTX_GUESTS_H

#include "guest/guest.h"

/* By enum memctx_os; NULL for MEMCTX_OS_UNKNOWN alone. */
extern const struct memctx_guest_ops *const memctx_guests[MEMCTX_OSES];

#endif
