/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where to look first for a Linux kernel's VMCOREINFO. */
#ifndef MEMCTX_LINUX_PLACES_H
#define MEMCTX_LINUX_PLACES_H

#include "guest.h"

/* See memctx_guest_ops.places. At most 4 ranges, about 34 MiB together; costs
 * about 700 KiB of reads. A range may reach beyond RAM. Any thread. */
size_t memctx_linux_places(const struct memctx_rammap *map,
                           struct memctx_range *ret, size_t max);

#endif
