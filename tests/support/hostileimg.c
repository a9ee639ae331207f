/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Nothing here is wrong by itself: each page, text and pointer is as a kernel
 * would have it, and there are too many of them. */
#include "hostileimg.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "winimg.h"

#define PAGE MEMCTX_PAGE_SIZE
#define ENTRIES 512u
#define TABLE (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE)

/* Below 640 KiB, from where on Linux takes pages for its trampoline. */
#define TRAMPOLINES UINT64_C(0x90000)

/* Where Windows has its images (src/guest/windows/finder.c). */
#define WINDOWS_IMAGES 0x1f0u
#define WINDOWS_LOWER (60 * MEMCTX_MIB)

static void
fill_table(const struct guestimg *img, uint64_t table_gpa, uint64_t entry)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        guestimg_write_le64(img, table_gpa + 8 * i, entry);
}

/* Entry 511 leads to the image, 273 to what may be the direct map. */
void
hostileimg_add_roots(const struct guestimg *img, uint64_t image_gpa,
                     uint64_t tables_gpa, unsigned n)
{
    uint64_t level2 = tables_gpa + PAGE;
    guestimg_write_le64(img, tables_gpa + 510 * 8, level2 | TABLE);
    for (unsigned i = 0; i < HOSTILEIMG_PAGES; i++)
        guestimg_write_le64(img, level2 + 8 * i,
                            (image_gpa + i * HOSTILEIMG_PAGE) |
                                MEMCTX_PTE_PRESENT | MEMCTX_PTE_LARGE |
                                (i > 0 ? MEMCTX_PTE_WRITE : 0));
    for (unsigned i = 1; i <= n; i++) {
        guestimg_write_le64(img, tables_gpa - i * PAGE + 511 * 8,
                            tables_gpa | TABLE);
        guestimg_write_le64(img, tables_gpa - i * PAGE + 273 * 8,
                            level2 | TABLE);
    }
}

void
hostileimg_add_trampoline(const struct guestimg *img, unsigned index,
                          uint64_t tables_gpa)
{
    guestimg_write_le64(img, TRAMPOLINES + index * PAGE + 511 * 8,
                        tables_gpa | TABLE);
}

void
hostileimg_banners(uint64_t gpa, unsigned char *buf, size_t len_bytes)
{
    static const char text[] = "Linux version 6 (";
    size_t at = gpa % (sizeof(text) - 1);
    for (size_t i = 0; i < len_bytes; i++) {
        buf[i] = (unsigned char)text[at++];
        if (at == sizeof(text) - 1)
            at = 0;
    }
}

void
hostileimg_pointers(uint64_t gpa, unsigned char *buf, size_t len_bytes)
{
    for (size_t i = 0; i + 8 <= len_bytes; i += 8) {
        uint64_t word = UINT64_C(0xffff888000000000) + (gpa + i) / 8 * PAGE;
        memcpy(buf + i, &word, sizeof(word));
    }
}

/* The same root, but for the entry by which it maps itself. */
static void
copy_root(const struct guestimg *img, const struct winimg *w, uint64_t gpa)
{
    unsigned char page[PAGE];
    uint64_t self = guestimg_read_le64(img, w->root_gpa + 8 * w->self_index);
    self = (self & ~MEMCTX_PTE_FRAME) | gpa;
    if (pread(img->fd, page, sizeof(page),
              (off_t)guestimg_offset(img, w->root_gpa)) != sizeof(page))
        abort();
    guestimg_write(img, gpa, page, sizeof(page));
    guestimg_write_le64(img, gpa + 8 * w->self_index, self);
}

void
hostileimg_add_windows(struct guestimg *img, uint64_t roots_gpa, unsigned n)
{
    struct winimg w = winimg(19045, MEMCTX_PAGING_X86_64_4LEVEL);
    uint64_t lower = WINDOWS_LOWER;
    winimg_write(img, &w);
    uint64_t upper = guestimg_read_le64(img, w.root_gpa + 8 * WINDOWS_IMAGES) &
                     MEMCTX_PTE_FRAME;
    fill_table(img, upper, lower | TABLE);
    fill_table(img, lower, (lower + PAGE) | TABLE);
    guestimg_touch(img, lower + PAGE, 1);
    for (unsigned i = 0; i < n; i++)
        copy_root(img, &w, roots_gpa + i * PAGE);
}
