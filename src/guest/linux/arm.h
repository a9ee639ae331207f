/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The image of a Linux kernel for aarch64 in RAM, found by the shape of its
 * page tables: those of pages of 4 KiB and addresses of 39 or 48 bits, with the
 * address space as it is since 5.4, where the direct map is the lower half
 * (Documentation/arch/arm64/memory.rst). A guess, as in image.h. */
#ifndef MEMCTX_LINUX_ARM_H
#define MEMCTX_LINUX_ARM_H

#include <stdbool.h>

#include "base/error.h"
#include "guest/linux/image.h"

/* May this page of MEMCTX_PAGE_SIZE bytes be swapper_pg_dir? Both of its halves
 * lead to tables, and nothing in it is anything else. */
bool memctx_linux_arm_is_root(const unsigned char *page);

/* Fill *ret with the image that the root at root_gpa, whose page that is, maps,
 * and that it is a part of: from _stext on. 0, or -1 with RETRY. Goes through
 * up to 65536 pages that are mapped. Any thread. */
int memctx_linux_arm_image(const struct memctx_rammap *map, uint64_t root_gpa,
                           const unsigned char *page,
                           struct memctx_linux_image *ret,
                           struct memctx_error *err);

/* Where the image begins, _text, in whose first pages nothing is mapped: as
 * roots.h has it for kernels with a note. */
uint64_t memctx_linux_arm_base(const struct memctx_linux_image *image);

/* Would the page be a root if RAM, which begins at 0 in this map, began at
 * ram_gpa? Any thread. */
bool memctx_linux_arm_is_from(const struct memctx_rammap *map,
                              const unsigned char *page, uint64_t ram_gpa);

/* Loaders put kernels at the beginning of RAM, and the root is behind .text. */
#define MEMCTX_LINUX_ARM_LIKELY (48 * MEMCTX_MIB)

#endif
