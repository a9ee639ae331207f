/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Rivals: kernels that could be proven only in part. While one of them may be
 * the kernel that runs, a kernel that was proven is not taken. */
#ifndef MEMCTX_RIVALS_H
#define MEMCTX_RIVALS_H

#include <stdbool.h>

#include "base/error.h"
#include "guest/guest.h"
#include "ram/rammap.h"

/* The rival that may run rather than `kernel`; NULL: none. `moves`: the clock
 * that `kernel` leads to has been seen to move. Any thread. */
const struct memctx_rival *memctx_rivals_find(
    const struct memctx_rammap *map, const struct memctx_rivals *rivals,
    const struct memctx_kernel *kernel, bool moves);

/* Say so: -1, and RETRY with a sentence. */
int memctx_rivals_tell(const struct memctx_rival *rival,
                       const struct memctx_kernel *kernel,
                       struct memctx_error *err);

#endif
