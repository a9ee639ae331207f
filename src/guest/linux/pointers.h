/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which pages a Linux kernel's own variables point at, and what stands among
 * them. */
#ifndef MEMCTX_LINUX_POINTERS_H
#define MEMCTX_LINUX_POINTERS_H

#include <stdbool.h>

#include "guest/linux/image.h"

/* Called for each page or place; false: that is enough. */
typedef bool memctx_linux_page_fn(uint64_t gpa, void *arg);

/* Report the pages of RAM that begin where a word in the .data and .bss of an
 * image points, through the kernel's direct map: some hundred, with
 * vmcoreinfo_data and vmcoreinfo_note (kernel/vmcore_info.c, 4.13 and later)
 * among them as soon as the kernel has made them; and the places in .data and
 * .bss where a note may stand, as that of an older kernel does. Each may come
 * twice. Returns the bytes read, at most 64 MiB. Any thread. */
uint64_t memctx_linux_pointers(const struct memctx_rammap *map,
                               const struct memctx_linux_image *image,
                               memctx_linux_page_fn *page, void *arg);

#endif
