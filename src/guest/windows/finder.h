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
    uint64_t peeks_left;
    uint64_t steps_left;
};

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
