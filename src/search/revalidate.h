/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks again at one kernel that was found. */
#ifndef MEMCTX_REVALIDATE_H
#define MEMCTX_REVALIDATE_H

#include "base/error.h"
#include "guest/kernel.h"
#include "ram/rammap.h"

/* Is the kernel that was found still there? Runs the proofs of its system
 * again, from the clue that led to it. 0, or -1 with RETRY: which check failed,
 * or that another kernel is there now; GONE. Reads a few pages. Any thread. */
int memctx_revalidate(const struct memctx_rammap *map,
                      const struct memctx_kernel *kernel,
                      struct memctx_error *err);

/* Does it still stand? Asks the system for what stays in RAM for as long as its
 * kernel runs, where it knows of such, and otherwise for all proofs. Results as
 * above. Any thread. */
int memctx_stands(const struct memctx_rammap *map,
                  const struct memctx_kernel *kernel, struct memctx_error *err);

#endif
