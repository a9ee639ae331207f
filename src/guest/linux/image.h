/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The image of a Linux kernel in RAM, found by the shape of its page tables
 * alone, before the kernel has said anything of itself. A guess: whoever uses
 * it proves what comes of it. */
#ifndef MEMCTX_LINUX_IMAGE_H
#define MEMCTX_LINUX_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/kernel.h"
#include "paging/paging.h"
#include "ram/rammap.h"

/* __START_KERNEL_map (arch/x86/include/asm/page_64_types.h): the kernel image
 * is mapped in the 1 GiB that begins here. */
#define MEMCTX_LINUX_IMAGE_MAP UINT64_C(0xffffffff80000000)
#define MEMCTX_LINUX_IMAGE_MAP_SIZE (UINT64_C(1) << 30)

/* head_64.S lays out init_top_pgt, its user half where there is KPTI, and with
 * 5 levels level4_kernel_pgt just before level3_kernel_pgt, in .data, which is
 * never freed. The image's other pages may be: between text and .rodata, and
 * in .init, where a task's root may have stood since. */
#define MEMCTX_LINUX_ROOT_NEAR (8 * MEMCTX_PAGE_SIZE)

struct memctx_linux_image {
    uint64_t gpa;              /* where the image begins, 2 MiB aligned */
    uint64_t size;             /* bytes, up to 1 GiB */
    uint64_t base_gva;         /* where the kernel sees its beginning */
    uint64_t tables_gpa;       /* level3_kernel_pgt, which lies in .data */
    uint64_t root_gpa;         /* looks like swapper_pg_dir; 0: none does */
    enum memctx_paging paging; /* of that root */
};

/* Does this page of MEMCTX_PAGE_SIZE bytes, as a root, map an image? Fills all
 * of *ret but root_gpa; undefined otherwise. At most 4 reads. Any thread. */
bool memctx_linux_image_of_root(const struct memctx_rammap *map,
                                const unsigned char *page,
                                struct memctx_linux_image *ret);

/* Find the images that the roots of real-mode trampolines below 640 KiB map:
 * up to `max`, each once, the one with the highest trampoline first. An
 * earlier boot may have left one there. Returns how many. Reads at most 640
 * KiB and, for each image, 1 MiB. Any thread. */
size_t memctx_linux_find_images(const struct memctx_rammap *map,
                                struct memctx_linux_image *ret, size_t max);

/* How far the image of a kernel that was found reaches: bytes from base_gva to
 * the last page that its tables map where the image is linear. That is its
 * _end, to a page or to 2 MiB. 0: it is not known (x86-64 only), or its tables
 * make no sense. Reads at most 512 tables, charged to the map's work. */
uint64_t memctx_linux_image_bytes(const struct memctx_rammap *map,
                                  const struct memctx_kernel *kernel);

#endif
