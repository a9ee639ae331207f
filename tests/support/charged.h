/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A map through which reading costs. */
#ifndef MEMCTX_TESTS_CHARGED_H
#define MEMCTX_TESTS_CHARGED_H

#include <stdlib.h>

#include "ram/rammap.h"

/* What is read through *map is charged to *work, which may take `steps`. */
static inline void
charge_map(struct memctx_rammap **map, struct memctx_work *work, uint64_t steps)
{
    struct memctx_rammap *charged;
    memctx_work_begin(work, steps, NULL, NULL);
    if (memctx_rammap_create_charged(*map, work, &charged, NULL) < 0)
        abort();
    memctx_rammap_destroy(*map);
    *map = charged;
}

#endif
