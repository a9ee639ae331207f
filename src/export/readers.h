/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which tools can read a memctx core of which kernel. A tool that cannot read
 * a paging is named nowhere for it: some of them find nothing then, and say
 * nothing. */
#ifndef MEMCTX_READERS_H
#define MEMCTX_READERS_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/kernel.h"

/* Does the tool of this name read the core of such a kernel? False also for a
 * tool that is not in the table. Any thread. */
bool memctx_readers_take(const char *tool, const struct memctx_kernel *kernel);

/* The names of all that do, separated by ", ". */
void memctx_readers_names(const struct memctx_kernel *kernel, char *ret,
                          size_t size);

#endif
