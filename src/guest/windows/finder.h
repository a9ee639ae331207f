/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds kernel images in an address space, without knowing where: the kernel is
 * loaded anywhere in a wide range, in large pages or small ones, and need not
 * begin where a large page does. */
#ifndef MEMCTX_WINDOWS_FINDER_H
#define MEMCTX_WINDOWS_FINDER_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/iterator.h"
#include "paging/view.h"
#include "guest/windows/image.h"

/* Embedded by the caller; about 20 KiB. The members are the finder's own. */
struct memctx_windows_finder {
    struct memctx_view *view;
    struct memctx_iterator pages;
    bool thorough; /* not only where mappings begin: every page */
    struct memctx_mapped_page page; /* where it is */
    uint64_t run_end_gva;           /* behind the mapping before */
    uint64_t mark;      /* where the first page of all is, and leads to */
    bool is_incomplete; /* one of the images so far */
    unsigned n_images;  /* so far: they begin with "MZ" */
    uint64_t peeks_left;
    uint64_t steps_left;
};

/* Go through all pages that a root maps where kernels are. */
void memctx_windows_image_pages(struct memctx_iterator *pages,
                                const struct memctx_rammap *map,
                                enum memctx_paging paging, uint64_t root_gpa);

/* The next of these pages, as memctx_iterator_next(). */
bool memctx_windows_image_pages_next(struct memctx_iterator *pages,
                                     struct memctx_mapped_page *ret);

/* May the kernel be there, with pages of it out? Asked when the finder has
 * found none: an image could not be read, or there is none at all, but
 * something is mapped. */
bool memctx_windows_finder_may_have_missed(
    const struct memctx_windows_finder *finder);

void memctx_windows_finder_init(struct memctx_windows_finder *finder,
                                struct memctx_view *view);

/* The next image that exports as ntoskrnl.exe. 0 and *ret; or -1 with RETRY:
 * there is none any more (the message says what the best of the images was, if
 * any), or GONE. First where runs of mapped pages begin, then at all pages; at
 * most 65536 of them in all, in at most 262144 mappings. */
int memctx_windows_finder_next(struct memctx_windows_finder *finder,
                               struct memctx_windows_image *ret,
                               struct memctx_error *err);

#endif
