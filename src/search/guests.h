/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of operating systems that are looked for. */
#ifndef MEMCTX_GUESTS_H
#define MEMCTX_GUESTS_H

#include "guest/guest.h"

#define MEMCTX_GUESTS 2

/* Each once, in the order in which they are tried. */
extern const struct memctx_guest_ops *const memctx_guests[MEMCTX_GUESTS];

/* The one for `os`, NULL when nobody looks for it. Any thread. */
const struct memctx_guest_ops *memctx_guests_find(enum memctx_os os);

#endif
