/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Keeps pages of an address space by their number, the last of each slot. */
#include "paging/view.h"

#include <inttypes.h>
#include <string.h>

#include "paging/format.h"

void
memctx_view_init(struct memctx_view *view, const struct memctx_rammap *map,
                 enum memctx_paging paging, uint64_t root_gpa)
{
    view->map = map;
    view->paging = paging;
    view->root_gpa = root_gpa;
    view->soft = NULL;
    for (unsigned i = 0; i < MEMCTX_VIEW_PAGES; i++)
        view->page[i].known = false;
}

static int
read_kept(const struct memctx_view *view, uint64_t gva, unsigned char *to,
          struct memctx_error *err)
{
    struct memctx_walk walk;
    if (memctx_paging_walk_soft(view->map, view->paging, view->root_gpa, gva,
                                view->soft, &walk, err) < 0)
        return -1;
    if (memctx_rammap_read(view->map, walk.gpa, to, MEMCTX_PAGE_SIZE, err) < 0)
        return memctx_error_prefix(err, "gva %#" PRIx64, gva);
    return 0;
}

/* The page that begins at gva, or NULL. */
static const unsigned char *
load(struct memctx_view *view, uint64_t gva, struct memctx_error *err)
{
    unsigned slot = (unsigned)(gva / MEMCTX_PAGE_SIZE % MEMCTX_VIEW_PAGES);
    bool kept = view->page[slot].known && view->page[slot].gva == gva;
    if (kept && memctx_work_look(memctx_rammap_work(view->map)))
        return view->page[slot].bytes;
    if (kept) {
        memctx_work_fail("gva", gva, err);
        return NULL;
    }
    view->page[slot].known = false;
    if (read_kept(view, gva, view->page[slot].bytes, err) < 0)
        return NULL;
    view->page[slot].known = true;
    view->page[slot].gva = gva;
    return view->page[slot].bytes;
}

/* What lies in one page. */
static int
read_page(void *arg, uint64_t gva, void *to, size_t *len_bytes,
          struct memctx_error *err)
{
    size_t into = (size_t)(gva % MEMCTX_PAGE_SIZE);
    const unsigned char *page = load(arg, gva - into, err);
    if (page == NULL)
        return -1;
    *len_bytes = (size_t)memctx_min(*len_bytes, MEMCTX_PAGE_SIZE - into);
    memcpy(to, page + into, *len_bytes);
    return 0;
}

int
memctx_view_read(struct memctx_view *view, uint64_t gva, void *buf,
                 size_t len_bytes, struct memctx_error *err)
{
    return memctx_paging_read_pieces(read_page, view, gva, buf, len_bytes, err);
}

int
memctx_view_le16(struct memctx_view *view, uint64_t gva, uint16_t *ret,
                 struct memctx_error *err)
{
    unsigned char raw[2];
    if (memctx_view_read(view, gva, raw, sizeof(raw), err) < 0)
        return -1;
    *ret = memctx_le16(raw);
    return 0;
}

int
memctx_view_le32(struct memctx_view *view, uint64_t gva, uint32_t *ret,
                 struct memctx_error *err)
{
    unsigned char raw[4];
    if (memctx_view_read(view, gva, raw, sizeof(raw), err) < 0)
        return -1;
    *ret = memctx_le32(raw);
    return 0;
}

int
memctx_view_le64(struct memctx_view *view, uint64_t gva, uint64_t *ret,
                 struct memctx_error *err)
{
    unsigned char raw[8];
    if (memctx_view_read(view, gva, raw, sizeof(raw), err) < 0)
        return -1;
    *ret = memctx_le64(raw);
    return 0;
}

unsigned
memctx_view_pointer_size(const struct memctx_view *view)
{
    return memctx_paging_format(view->paging)->arch->pointer_bytes;
}

int
memctx_view_pointer(struct memctx_view *view, uint64_t gva, uint64_t *ret,
                    struct memctx_error *err)
{
    uint32_t narrow;
    if (memctx_view_pointer_size(view) == 8)
        return memctx_view_le64(view, gva, ret, err);
    if (memctx_view_le32(view, gva, &narrow, err) < 0)
        return -1;
    *ret = narrow;
    return 0;
}

int
memctx_view_text(struct memctx_view *view, uint64_t gva, char *buf, size_t size,
                 struct memctx_error *err)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c;
        if (gva > UINT64_MAX - i ||
            memctx_view_read(view, gva + i, &c, 1, err) < 0)
            return -1;
        buf[i] = (char)c;
        if (c == '\0')
            return 0;
        if (c < ' ' || c > '~')
            buf[i] = '?';
    }
    return memctx_error_set(err, MEMCTX_RETRY,
                            "text at gva %#" PRIx64 " has no end", gva);
}
