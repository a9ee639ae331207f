/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM of guests that were made to cost much: it leads a search on and on, and
 * never to a kernel. A guest's own kernel of a few lines could write it. */
#ifndef MEMCTX_TESTS_HOSTILEIMG_H
#define MEMCTX_TESTS_HOSTILEIMG_H

#include "guestimg.h"

/* What looks like the image of a Linux: large pages, of which the first is
 * code, and the others are data. */
#define HOSTILEIMG_PAGE (2 * MEMCTX_MIB)
#define HOSTILEIMG_PAGES 32u
#define HOSTILEIMG_SIZE (HOSTILEIMG_PAGES * HOSTILEIMG_PAGE)

/* Tables of a kernel whose image begins at `image_gpa`: `n` pages before
 * `tables_gpa` that look like its root, and two pages from there on to which
 * they lead. The image has room for all of them. */
void hostileimg_add_roots(const struct guestimg *img, uint64_t image_gpa,
                          uint64_t tables_gpa, unsigned n);

/* Where other processors would start is a page that leads to these tables, too:
 * the data behind them are looked through for pointers. `index`: 0 to 3. */
void hostileimg_add_trampoline(const struct guestimg *img, unsigned index,
                               uint64_t tables_gpa);

/* What data of an image may be, at any gpa: */

/* ... texts that look like the banner of a kernel, where none has it, */
void hostileimg_banners(uint64_t gpa, unsigned char *buf, size_t len_bytes);

/* ... or pointers to pages, each to another one. `gpa` is a multiple of 8. */
void hostileimg_pointers(uint64_t gpa, unsigned char *buf, size_t len_bytes);

/* A Windows in its 64 MiB, all complete, but where its image would be mapped an
 * upper table leads everywhere to one lower table, and that everywhere to an
 * empty one: 2^27 entries that map nothing, in three pages. From `roots_gpa` on
 * are `n` pages more like its root. */
void hostileimg_add_windows(struct guestimg *img, uint64_t roots_gpa,
                            unsigned n);

#endif
