/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows the page tables that arch/x86/kernel/head_64.S lays out in the
 * image: root[511] -> (level4_kernel_pgt[511] ->) level3_kernel_pgt[510] ->
 * level2_kernel_pgt, whose 2 MiB entries map the image in order. Believes
 * nothing beyond that shape. */
#include "guest/linux/image.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "paging/iterator.h"

#define REAL_MODE_END (640 * MEMCTX_KIB)
#define LARGE_PAGE (2 * MEMCTX_MIB)
#define ENTRIES (MEMCTX_PAGE_SIZE / 8)

/* The tables stand together in .data; a root is this near to them, and the
 * kernel's own so near (MEMCTX_LINUX_ROOT_NEAR). */
#define ROOT_DISTANCE (256 * MEMCTX_KIB)

static bool
is_table(const struct memctx_rammap *map, uint64_t entry)
{
    return (entry & MEMCTX_PTE_PRESENT) != 0 &&
           (entry & MEMCTX_PTE_LARGE) == 0 &&
           memctx_rammap_contains(map, entry & MEMCTX_PTE_FRAME,
                                  MEMCTX_PAGE_SIZE);
}

/* Follow entry `index` of a table in RAM; 0 when it leads to no table. */
static uint64_t
next_table(const struct memctx_rammap *map, uint64_t table_gpa, unsigned index)
{
    unsigned char raw[8];
    if (memctx_rammap_read(map, table_gpa + index * 8, raw, sizeof(raw), NULL) <
        0)
        return 0;
    uint64_t entry = memctx_le64(raw);
    return is_table(map, entry) ? entry & MEMCTX_PTE_FRAME : 0;
}

/* The run of entries that map the image; the table's first is for
 * MEMCTX_LINUX_IMAGE_MAP. Some may have been split into 4 KiB
 * pages by then; the first large one tells where all begin. */
static bool
image_of_level2(const unsigned char *table, struct memctx_linux_image *ret)
{
    size_t first = 0;
    while (first < ENTRIES &&
           (memctx_le64(table + 8 * first) & MEMCTX_PTE_PRESENT) == 0)
        first++;
    size_t n = 0;
    bool known = false;
    for (; first + n < ENTRIES; n++) {
        uint64_t entry = memctx_le64(table + 8 * (first + n));
        uint64_t gpa = entry & MEMCTX_PTE_FRAME & ~(LARGE_PAGE - 1);
        if ((entry & MEMCTX_PTE_PRESENT) == 0)
            break;
        if (known || (entry & MEMCTX_PTE_LARGE) == 0 || gpa < n * LARGE_PAGE)
            continue;
        ret->gpa = gpa - n * LARGE_PAGE;
        known = true;
    }
    ret->size = n * LARGE_PAGE;
    ret->base_gva = MEMCTX_LINUX_IMAGE_MAP + first * LARGE_PAGE;
    return known && n > 1;
}

/* Does this page have a top-level entry 511 that leads to a kernel image, as
 * every root of a Linux has? With 5 levels there is one table more. */
static bool
image_of_root(const struct memctx_rammap *map, uint64_t entry,
              struct memctx_linux_image *ret)
{
    uint64_t gpa = is_table(map, entry) ? entry & MEMCTX_PTE_FRAME : 0;
    for (int levels = 4; levels <= 5 && gpa != 0; levels++) {
        uint64_t level2_gpa = next_table(map, gpa, 510);
        unsigned char level2[MEMCTX_PAGE_SIZE];
        ret->tables_gpa = gpa;
        ret->paging = levels == 4 ? MEMCTX_PAGING_X86_64_4LEVEL
                                  : MEMCTX_PAGING_X86_64_5LEVEL;
        if (level2_gpa != 0 &&
            memctx_rammap_read(map, level2_gpa, level2, sizeof(level2), NULL) ==
                0 &&
            image_of_level2(level2, ret) &&
            memctx_range_in(gpa, MEMCTX_PAGE_SIZE, ret->gpa, ret->size))
            return true;
        gpa = next_table(map, gpa, 511);
    }
    return false;
}

bool
memctx_linux_image_of_root(const struct memctx_rammap *map,
                           const unsigned char *page,
                           struct memctx_linux_image *ret)
{
    ret->root_gpa = 0;
    return image_of_root(map, memctx_le64(page + 8 * (ENTRIES - 1)), ret);
}

/* Shares entry 511 and has more than that in the kernel's half: the direct
 * map, which early_top_pgt lacks. */
static bool
is_root(const unsigned char *page, uint64_t entry511)
{
    uint64_t entry = memctx_le64(page + 8 * (ENTRIES - 1));
    if ((entry & MEMCTX_PTE_PRESENT) == 0 ||
        ((entry ^ entry511) & MEMCTX_PTE_FRAME) != 0)
        return false;
    for (size_t i = ENTRIES / 2; i < ENTRIES - 1; i++) {
        if ((memctx_le64(page + 8 * i) & MEMCTX_PTE_PRESENT) != 0)
            return true;
    }
    return false;
}

/* The first in [gpa, end_gpa); 0: none. */
static uint64_t
find_root_in(const struct memctx_rammap *map, uint64_t entry511, uint64_t gpa,
             uint64_t end_gpa)
{
    for (; gpa < end_gpa; gpa += MEMCTX_PAGE_SIZE) {
        unsigned char page[MEMCTX_PAGE_SIZE];
        if (memctx_rammap_read(map, gpa, page, sizeof(page), NULL) == 0 &&
            is_root(page, entry511))
            return gpa;
    }
    return 0;
}

/* The kernel's own is just before the tables. A task's, in a page of .init that
 * was freed, is as good for those who only want the direct map. */
static void
find_root(const struct memctx_rammap *map, uint64_t entry511,
          struct memctx_linux_image *image)
{
    uint64_t tables = image->tables_gpa;
    uint64_t near = memctx_max(
        image->gpa, tables - memctx_min(tables, MEMCTX_LINUX_ROOT_NEAR));
    uint64_t far =
        memctx_max(image->gpa, tables - memctx_min(tables, ROOT_DISTANCE));
    uint64_t end = memctx_min(image->gpa + image->size, tables + ROOT_DISTANCE);
    image->root_gpa = find_root_in(map, entry511, near, tables);
    if (image->root_gpa == 0)
        image->root_gpa = find_root_in(map, entry511, far, near);
    if (image->root_gpa == 0)
        image->root_gpa = find_root_in(map, entry511, tables, end);
}

static bool
is_known(const struct memctx_linux_image *images, size_t n, uint64_t gpa)
{
    for (size_t i = 0; i < n; i++) {
        if (images[i].gpa == gpa)
            return true;
    }
    return false;
}

/* The trampoline with which Linux starts further processors has a root of its
 * own that shares the kernel's entry 511 (arch/x86/realmode/init.c). */
size_t
memctx_linux_find_images(const struct memctx_rammap *map,
                         struct memctx_linux_image *ret, size_t max)
{
    size_t n = 0;
    for (uint64_t gpa = REAL_MODE_END; gpa > MEMCTX_PAGE_SIZE && n < max;) {
        unsigned char raw[8];
        gpa -= MEMCTX_PAGE_SIZE;
        struct memctx_linux_image image;
        if (memctx_rammap_read(map, gpa + MEMCTX_PAGE_SIZE - sizeof(raw), raw,
                               sizeof(raw), NULL) < 0 ||
            !image_of_root(map, memctx_le64(raw), &image) ||
            is_known(ret, n, image.gpa))
            continue;
        find_root(map, memctx_le64(raw), &image);
        ret[n++] = image;
    }
    return n;
}

/* Pages of .init are given back after boot, and with KPTI also unmapped
 * (arch/x86/mm/init.c, free_kernel_image_pages()): .bss is behind them. Without
 * KASLR modules begin half a gigabyte behind the image, and one of their pages
 * may stand where the image would be linear. */
#define GAP_MAX (64 * MEMCTX_MIB)

/* 1 GiB of pages of 4 KiB. */
#define PAGES_MAX (MEMCTX_LINUX_IMAGE_MAP_SIZE / MEMCTX_PAGE_SIZE)

uint64_t
memctx_linux_image_bytes(const struct memctx_rammap *map,
                         const struct memctx_kernel *kernel)
{
    const struct memctx_linux_facts *facts = &kernel->linux_facts;
    uint64_t base_gva = kernel->base_gva;
    uint64_t end_gva = base_gva;
    if (kernel->os != MEMCTX_OS_LINUX || !facts->has_phys_base ||
        base_gva < MEMCTX_LINUX_IMAGE_MAP ||
        base_gva - MEMCTX_LINUX_IMAGE_MAP >= MEMCTX_LINUX_IMAGE_MAP_SIZE)
        return 0;
    struct memctx_iterator it;
    struct memctx_mapped_page page;
    memctx_iterator_init(&it, map, kernel->paging, kernel->kcr3, base_gva,
                         MEMCTX_LINUX_IMAGE_MAP + MEMCTX_LINUX_IMAGE_MAP_SIZE -
                             1);
    for (uint64_t i = 0; i < PAGES_MAX && memctx_iterator_next(&it, &page);
         i++) {
        if (page.gva - end_gva > GAP_MAX)
            break;
        if (page.gpa ==
            page.gva - MEMCTX_LINUX_IMAGE_MAP + (uint64_t)facts->phys_base)
            end_gva = page.gva + page.size;
    }
    return end_gva - base_gva;
}
