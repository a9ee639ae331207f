/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What becomes of a kernel that was found: the datum in all its spellings, the
 * words of every tool, the header of a core, its processes. */
#ifndef MEMCTX_TESTS_USES_H
#define MEMCTX_TESTS_USES_H

#include "guest/kernel.h"
#include "ram/rammap.h"

/* Use the kernel that was found in this RAM, of which `low` bytes lie below the
 * split, in each of these ways; every result must be whole, or an error that
 * says why there is none. */
void fuzz_use(const struct memctx_rammap *map, uint64_t low,
              const struct memctx_kernel *kernel);

#endif
