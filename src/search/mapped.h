/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* In which of two layouts is the RAM that a kernel uses? Kernels map the RAM
 * that they were told of, and nothing much where none is: a direct map of all
 * of it in 64-bit Linux, working sets and pools in Windows. */
#ifndef MEMCTX_MAPPED_H
#define MEMCTX_MAPPED_H

#include <stdbool.h>

#include "guest/kernel.h"
#include "paging/iterator.h"
#include "ram/rammap.h"

/* Call visit() for each page that the kernel's half of its address space maps,
 * in order of addresses, until it returns false. At most some 260000 pages are
 * looked at, and 4096 tables read: about 20 ms, charged to the map's work. Any
 * thread. */
typedef bool memctx_mapped_fn(const struct memctx_mapped_page *page, void *arg);
void memctx_mapped_visit(const struct memctx_rammap *map,
                         const struct memctx_kernel *kernel,
                         memctx_mapped_fn *visit, void *arg);

/* Bytes that the kernel's half of its address space maps of RAM which `map` has
 * and `other` has not, up to MEMCTX_MAPPED_ENOUGH or a little more; tables are
 * read through `map`. As memctx_mapped_visit(). */
#define MEMCTX_MAPPED_ENOUGH (UINT64_C(64) << 20)
uint64_t memctx_mapped_only_in(const struct memctx_rammap *map,
                               const struct memctx_rammap *other,
                               const struct memctx_kernel *kernel);

/* Do these two results tell that the RAM is where `mine` was found? A device
 * that is mapped where the other layout has RAM is small against that. */
bool memctx_mapped_decides(uint64_t mine, uint64_t others);

#endif
