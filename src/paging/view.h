/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guest-virtual memory as one root maps it, a few pages of it kept: for parsers
 * that read many small things. All of it is charged to the map's work. */
#ifndef MEMCTX_VIEW_H
#define MEMCTX_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "paging/paging.h"
#include "ram/rammap.h"

#define MEMCTX_VIEW_PAGES 16u

/* Embedded by the caller; 64 KiB. One thread at a time. */
struct memctx_view {
    const struct memctx_rammap *map;
    enum memctx_paging paging;
    uint64_t root_gpa;
    memctx_paging_soft_fn *soft; /* NULL; or set it after memctx_view_init() */
    struct {
        bool known;
        uint64_t gva;
        unsigned char bytes[MEMCTX_PAGE_SIZE];
    } page[MEMCTX_VIEW_PAGES];
};

void memctx_view_init(struct memctx_view *view, const struct memctx_rammap *map,
                      enum memctx_paging paging, uint64_t root_gpa);

/* Read len_bytes at gva into buf. 0, or -1 as memctx_paging_read(); buf is then
 * undefined. A page that is not kept takes as many reads as the format has
 * levels, and one. */
int memctx_view_read(struct memctx_view *view, uint64_t gva, void *buf,
                     size_t len_bytes, struct memctx_error *err);

/* One little-endian number; errors as above. */
int memctx_view_le16(struct memctx_view *view, uint64_t gva, uint16_t *ret,
                     struct memctx_error *err);
int memctx_view_le32(struct memctx_view *view, uint64_t gva, uint32_t *ret,
                     struct memctx_error *err);
int memctx_view_le64(struct memctx_view *view, uint64_t gva, uint64_t *ret,
                     struct memctx_error *err);

/* Bytes of a pointer in this address space: 4 or 8. */
unsigned memctx_view_pointer_size(const struct memctx_view *view);

/* A pointer at gva; errors as above. */
int memctx_view_pointer(struct memctx_view *view, uint64_t gva, uint64_t *ret,
                        struct memctx_error *err);

/* Copy a text that ends with NUL within size bytes; what is not printable
 * ASCII becomes '?'. -1 with RETRY when there is no end, or as above. */
int memctx_view_text(struct memctx_view *view, uint64_t gva, char *buf,
                     size_t size, struct memctx_error *err);

#endif
