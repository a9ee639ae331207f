/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The image of a Linux kernel for i386 in RAM, found by the shape of its page
 * tables. Its direct map begins at PAGE_OFFSET and maps the image, too. A
 * guess, as in image.h. */
#ifndef MEMCTX_LINUX_I386_H
#define MEMCTX_LINUX_I386_H

#include <stdbool.h>

#include "base/error.h"
#include "guest/linux/image.h"

/* May this page of MEMCTX_PAGE_SIZE bytes be swapper_pg_dir? It has nothing for
 * user space and, with two levels, large pages at PAGE_OFFSET that map RAM from
 * 0 on; with PAE, an entry for that and nothing behind its root. */
bool memctx_linux_i386_is_root(const unsigned char *page);

/* Fill *ret with the image that the root at root_gpa, whose page that is, maps:
 * from the code that was made read-only below it up to itself. 0, or -1 with
 * RETRY. Some hundred reads. Any thread. */
int memctx_linux_i386_image(const struct memctx_rammap *map, uint64_t root_gpa,
                            const unsigned char *page,
                            struct memctx_linux_image *ret,
                            struct memctx_error *err);

/* Find the root of the image into whose .data the real-mode trampoline leads,
 * with which further processors are started: up to `max` images as above, even
 * if their code can still be written. Returns how many. Reads at most 640 KiB
 * and 32 MiB for each. Any thread. */
size_t memctx_linux_i386_find(const struct memctx_rammap *map,
                              struct memctx_linux_image *ret, size_t max);

#endif
