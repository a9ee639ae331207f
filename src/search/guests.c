/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Made of the list in kernel.h: there is nothing to add here. */
#include "search/guests.h"

#define OPS(os, name, ops) [MEMCTX_OS_##os] = &(ops),
const struct memctx_guest_ops *const memctx_guests[MEMCTX_OSES] = {
    MEMCTX_SYSTEMS(OPS)};
