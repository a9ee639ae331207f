/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through the upper half of a root, where modules and the image are, for
 * code that is as far from its address as the root is from its own. */
#include "guest/linux/arm.h"

#include "base/bytes.h"
#include "guest/linux/texts.h"
#include "paging/iterator.h"

#define ENTRIES (MEMCTX_PAGE_SIZE / 8)
#define PAGES_MAX 65536u

/* Bits 1:0 of an entry that leads to a table (Arm ARM D8.3), and bits of none:
 * its address is below 2^48, and what is below that in it is ignored by the
 * hardware and 0 in Linux. */
#define TABLE UINT64_C(3)
#define TABLE_BITS (MEMCTX_PTE_BITS(47, 12) | MEMCTX_PTE_BITS(63, 59))

/* .text and .rodata before the root, .init, .data and .bss behind it */
#define TEXT_MAX (64 * MEMCTX_MIB)
#define DATA_MAX (24 * MEMCTX_MIB)

static size_t
count_tables(const unsigned char *page, size_t first, size_t end)
{
    size_t n = 0;
    for (size_t i = first; i < end; i++)
        n += memctx_le64(page + 8 * i) != 0;
    return n;
}

bool
memctx_linux_arm_is_root(const unsigned char *page)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        uint64_t entry = memctx_le64(page + 8 * i);
        if (entry != 0 && ((entry & ~TABLE_BITS) != TABLE || entry >> 12 == 0))
            return false;
    }
    return count_tables(page, 0, ENTRIES / 2) > 0 &&
           count_tables(page, ENTRIES / 2, ENTRIES) > 0;
}

/* Is this page, which the root maps, code of the image that has the root? */
static bool
is_text(const struct memctx_rammap *map, const struct memctx_mapped_page *page,
        struct memctx_linux_image *image)
{
    struct memctx_walk walk;
    uint64_t root = image->root_gpa;
    if (page->gpa >= root || root - page->gpa > TEXT_MAX)
        return false;
    image->gpa = page->gpa;
    image->base_gva = page->gva;
    return memctx_linux_texts_walk(map, image, page->gpa, &walk, NULL) == 0 &&
           walk.executable && !walk.writable &&
           memctx_linux_texts_walk(map, image, root, &walk, NULL) == 0;
}

static bool
find_text(const struct memctx_rammap *map, enum memctx_paging paging,
          struct memctx_linux_image *image)
{
    struct memctx_iterator pages;
    struct memctx_mapped_page page;
    unsigned bits = memctx_paging_format(paging)->va_bits;
    image->paging = paging;
    memctx_iterator_init(&pages, map, paging, image->root_gpa,
                         UINT64_MAX << (bits - 1), UINT64_MAX);
    for (unsigned i = 0; i < PAGES_MAX && memctx_iterator_next(&pages, &page);
         i++) {
        if (is_text(map, &page, image))
            return true;
    }
    return false;
}

int
memctx_linux_arm_image(const struct memctx_rammap *map, uint64_t root_gpa,
                       const unsigned char *page,
                       struct memctx_linux_image *ret, struct memctx_error *err)
{
    (void)page;
    ret->root_gpa = root_gpa;
    ret->tables_gpa = root_gpa;
    if (!find_text(map, MEMCTX_PAGING_AARCH64_4K_48, ret) &&
        !find_text(map, MEMCTX_PAGING_AARCH64_4K_39, ret))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "it maps no read-only code of an image that "
                                "has it");
    uint64_t end = memctx_min(root_gpa + DATA_MAX, memctx_rammap_end(map));
    ret->size = end - ret->gpa;
    return 0;
}

uint64_t
memctx_linux_arm_base(const struct memctx_linux_image *image)
{
    return (image->base_gva - 1) & ~(64 * MEMCTX_KIB - 1);
}

bool
memctx_linux_arm_is_from(const struct memctx_rammap *map,
                         const unsigned char *page, uint64_t ram_gpa)
{
    if (memctx_rammap_contains(map, ram_gpa, MEMCTX_PAGE_SIZE) ||
        !memctx_linux_arm_is_root(page))
        return false;
    for (size_t i = 0; i < ENTRIES; i++) {
        uint64_t entry = memctx_le64(page + 8 * i);
        uint64_t table = entry & MEMCTX_PTE_BITS(47, 12);
        if (entry != 0 &&
            (table < ram_gpa ||
             !memctx_rammap_contains(map, table - ram_gpa, MEMCTX_PAGE_SIZE)))
            return false;
    }
    return true;
}
