/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A few pages of RAM as one input; all other RAM is a hole.
 *
 * The first byte says how RAM is laid out: 0 from GPA 0 on, 1 from 1 GiB on, 2
 * split at 256 MiB. Then come pages, numbers being little-endian: number of the
 * page (3 bytes, from the beginning of RAM), how many runs (2), and of each run
 * its offset (2), its length (2) and its bytes. The rest of a page is zeros. Of
 * two that say something of one byte the later one counts. */
#ifndef MEMCTX_TESTS_PAGES_H
#define MEMCTX_TESTS_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "memram.h"

#define FUZZ_PAGES_RAM (512 * MEMCTX_MIB)
#define FUZZ_PAGES_SPLIT (256 * MEMCTX_MIB)

enum fuzz_layout {
    FUZZ_LAYOUT_PLAIN,
    FUZZ_LAYOUT_ARM,
    FUZZ_LAYOUT_SPLIT,
    FUZZ_LAYOUTS
};

/* One run of an input. */
struct fuzz_run {
    uint64_t page; /* number */
    size_t offset; /* in it */
    size_t at;     /* in the input */
    size_t len;    /* bytes that the input has, inside of the page */
};

/* A walk through the runs of an input, begun with zeros. False: the end. */
struct fuzz_runs {
    size_t at;
    uint64_t page;
    unsigned left; /* runs of this page */
};
bool fuzz_next_run(struct fuzz_runs *runs, const uint8_t *data, size_t size,
                   struct fuzz_run *ret);

/* GPA of the first byte of a page in RAM of this layout. */
uint64_t fuzz_page_gpa(enum fuzz_layout layout, uint64_t page);

/* RAM as the input has it. It is the same each time for one layout, and stays
 * this module's. */
struct memram *fuzz_pages(const uint8_t *data, size_t size,
                          enum fuzz_layout *layout);

#endif
