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

#define MEMCTX_WINDOWS_IMAGES_MAX 16

/* Embedded by the caller; about 20 KiB. The members are the finder's own. */
struct memctx_windows_finder {
    struct memctx_view *view;
    struct memctx_iterator pages;
    bool thorough; /* not only where much is mapped in a row: every page */
    struct memctx_mapped_page page; /* where it is */
    struct memctx_mapped_page run;  /* mapped in a row so far */
    uint64_t mark;      /* where the first page of all is, and leads to */
    bool is_incomplete; /* one of the images so far */
    bool has_headers;   /* one of them */
    uint64_t base_gva[MEMCTX_WINDOWS_IMAGES_MAX]; /* of those returned */
    size_t n_images;
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

/* How likely is it that the kernel is there, though the finder has found none?
 */
enum memctx_windows_missed {
    MEMCTX_WINDOWS_MISSED_NONE, /* nothing is mapped */
    MEMCTX_WINDOWS_MISSED_BARE, /* there are images of drivers; it may be one
                                   without headers */
    MEMCTX_WINDOWS_MISSED_OUT   /* an image could not be read; or there is no
                                   other */
};
enum memctx_windows_missed memctx_windows_finder_missed(
    const struct memctx_windows_finder *finder);

void memctx_windows_finder_init(struct memctx_windows_finder *finder,
                                struct memctx_view *view);

/* The next image that exports as ntoskrnl.exe, at most 16 of them. 0 and *ret;
 * or -1 with RETRY: there is none any more (the message says what the best of
 * the images was, if any), or GONE. First where 16 KiB in a row begin, then at
 * all pages, where it may be found by its export directory alone. At most 65536
 * pages are read, and 1048576 mappings passed. */
int memctx_windows_finder_next(struct memctx_windows_finder *finder,
                               struct memctx_windows_image *ret,
                               struct memctx_error *err);

#endif
