/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where a booting Linux usually has its VMCOREINFO pages. Only a guess about
 * where to look first: the search still goes through all RAM.
 *
 * Both pages come from the page allocator in a subsys_initcall, when it hands
 * out the left-overs of early boot: behind the kernel image, below the struct
 * page array that memblock took from the top, or at the start of a zone.
 * Measured on 5.10, 6.1 and 6.12, 512 MiB to 6 GiB, q35 and pc: at least one
 * of the two pages was in these places, or on a page never used before, in
 * every boot. */
#include "linux_places.h"

#include <string.h>

#include "bytes.h"

#define REAL_MODE_END (640 * MEMCTX_KIB)
#define LARGE_PAGE (2 * MEMCTX_MIB)

/* Follow entry `index` of a table in RAM; 0 when it leads to no table. */
static uint64_t
next_table(const struct memctx_rammap *map, uint64_t table_gpa, unsigned index)
{
    unsigned char raw[8];
    if (memctx_rammap_read(map, table_gpa + index * 8, raw, sizeof(raw), NULL) <
        0)
        return 0;
    uint64_t entry = memctx_le64(raw);
    if ((entry & MEMCTX_PTE_PRESENT) == 0 || (entry & MEMCTX_PTE_LARGE) != 0)
        return 0;
    uint64_t gpa = entry & MEMCTX_PTE_FRAME;
    return memctx_rammap_contains(map, gpa, MEMCTX_PAGE_SIZE) ? gpa : 0;
}

/* The run of 2 MiB pages in level2_kernel_pgt, which map the image in order. */
static bool
image_of_level2(const unsigned char *table, struct memctx_range *ret)
{
    uint64_t start = 0;
    uint64_t size = 0;
    for (size_t i = 0; i < 512; i++) {
        uint64_t entry = memctx_le64(table + 8 * i);
        bool large = (entry & MEMCTX_PTE_PRESENT) != 0 &&
                     (entry & MEMCTX_PTE_LARGE) != 0;
        if (large && size == 0)
            start = entry & MEMCTX_PTE_FRAME & ~(LARGE_PAGE - 1);
        if (large)
            size += LARGE_PAGE;
        else if (size > 0)
            break;
    }
    *ret = (struct memctx_range){start, size};
    return size > LARGE_PAGE;
}

/* Does this page have a top-level entry 511 that leads to a kernel image, as
 * every root of a Linux has? With 5 levels there is one table more. */
static bool
image_of_root(const struct memctx_rammap *map, const unsigned char *root,
              struct memctx_range *ret)
{
    uint64_t entry = memctx_le64(root + 511 * 8);
    uint64_t gpa = entry & MEMCTX_PTE_FRAME;
    if ((entry & MEMCTX_PTE_PRESENT) == 0 || (entry & MEMCTX_PTE_LARGE) != 0 ||
        !memctx_rammap_contains(map, gpa, MEMCTX_PAGE_SIZE))
        return false;
    for (int levels = 4; levels <= 5 && gpa != 0; levels++) {
        uint64_t level2_gpa = next_table(map, gpa, 510);
        unsigned char level2[MEMCTX_PAGE_SIZE];
        if (level2_gpa != 0 &&
            memctx_rammap_read(map, level2_gpa, level2, sizeof(level2), NULL) ==
                0 &&
            image_of_level2(level2, ret))
            return true;
        gpa = next_table(map, gpa, 511);
    }
    return false;
}

/* The real-mode trampoline below 640 KiB, with which Linux starts further
 * processors, has a root of its own that shares the kernel's entry 511
 * (arch/x86/realmode/init.c). */
static bool
find_image(const struct memctx_rammap *map, struct memctx_range *ret)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    for (uint64_t gpa = REAL_MODE_END; gpa > MEMCTX_PAGE_SIZE;) {
        gpa -= MEMCTX_PAGE_SIZE;
        if (memctx_rammap_read(map, gpa, page, sizeof(page), NULL) == 0 &&
            image_of_root(map, page, ret))
            return true;
    }
    return false;
}

/* [end - back, end - back + size), cut at 0. */
static struct memctx_range
below(uint64_t end, uint64_t back, uint64_t size)
{
    return (struct memctx_range){end - memctx_min(end, back), size};
}

size_t
memctx_linux_places(const struct memctx_rammap *map, struct memctx_range *ret,
                    size_t max)
{
    struct memctx_range places[4];
    size_t n = 0;
    struct memctx_range image;
    if (find_image(map, &image))
        places[n++] = below(image.gpa + image.size, LARGE_PAGE, 3 * LARGE_PAGE);
    uint64_t struct_pages = memctx_rammap_size(map) / 64;
    places[n++] = below(memctx_rammap_end(map), struct_pages + 10 * MEMCTX_MIB,
                        10 * MEMCTX_MIB);
    places[n++] = (struct memctx_range){4 * MEMCTX_GIB, 10 * MEMCTX_MIB};
    places[n++] = (struct memctx_range){16 * MEMCTX_MIB, 8 * MEMCTX_MIB};
    n = (size_t)memctx_min(n, max);
    memcpy(ret, places, n * sizeof(places[0]));
    return n;
}
