/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows the tables that arch/x86/kernel/head_32.S lays out in .bss, and the
 * header of the trampoline (arch/x86/include/asm/realmode.h). */
#include "guest/linux/i386.h"

#include <string.h>

#include "base/bytes.h"
#include "guest/linux/texts.h"

#define REAL_MODE_END (640 * MEMCTX_KIB)
#define STEP (2 * MEMCTX_MIB) /* images begin on such a boundary */
#define IMAGE_MAX (64 * MEMCTX_MIB)
#define DATA_MAX (16 * MEMCTX_MIB) /* .data and .init, before the root */
#define CHUNK (64 * MEMCTX_KIB)

/* So many large pages of the direct map, one behind the other, are no chance.
 */
#define LARGE_LEAST 4u

/* boot_gdt is in .data, swapper_pg_dir in .bss: 1.4 MiB behind it in Debian's
 * 6.1. */
#define ROOT_BEFORE MEMCTX_MIB
#define ROOT_BEHIND (31 * MEMCTX_MIB)

/* Where the direct map may begin (VMSPLIT_* in arch/x86/Kconfig); with PAE only
 * on a boundary of 1 GiB. */
static const uint32_t page_offsets[] = {0xc0000000, 0x80000000, 0x40000000,
                                        0xb0000000, 0x78000000};

#define DATA_AROUND (2 * MEMCTX_MIB)

/* struct trampoline_header: start; 16 bits of nothing and the limit of
 * boot_gdt, which ends with __BOOT_DS; its address. */
#define GDT_LIMIT UINT32_C(0x001f0000)
/* Descriptors of __BOOT_CS and __BOOT_DS without the accessed bit */
#define BOOT_CS UINT64_C(0x00cf9a000000ffff)
#define BOOT_DS UINT64_C(0x00cf92000000ffff)
#define ACCESSED (UINT64_C(1) << 40)

/* Pages of .init that were freed, and are tasks' roots since */
#define ROOTS_MAX 64u

/* Boots leave one each, and in the same place. */
#define HEADERS_MAX 8u

static bool
is_zero(const unsigned char *bytes, size_t len)
{
    return len == 0 ||
           (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Do n entries map RAM from 0 on, as far as they are large pages? */
static bool
is_direct_map(const unsigned char *entries, size_t n, size_t entry_bytes,
              unsigned shift)
{
    size_t large = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t entry = entry_bytes == 4 ? memctx_le32(entries + 4 * i)
                                          : memctx_le64(entries + 8 * i);
        if ((entry & MEMCTX_PTE_PRESENT) == 0)
            break;
        if ((entry & MEMCTX_PTE_LARGE) == 0)
            continue;
        if ((entry & MEMCTX_PTE_USER) != 0 ||
            (entry & MEMCTX_PTE_FRAME) >> shift != i)
            return false;
        large++;
    }
    return large >= LARGE_LEAST;
}

/* With two levels. 0: it is no such root. */
static uint32_t
offset_of_2level(const unsigned char *page)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(page_offsets); i++) {
        size_t first = page_offsets[i] >> 22;
        if ((memctx_le32(page + 4 * first) & MEMCTX_PTE_PRESENT) != 0 &&
            is_zero(page, 4 * first) &&
            is_direct_map(page + 4 * first, 1024 - first, 4, 22))
            return page_offsets[i];
    }
    return 0;
}

/* With PAE: a root of four entries, the first of which that is there is that of
 * PAGE_OFFSET. TCG sets the accessed bit, which is reserved. */
static uint32_t
offset_of_pae(const unsigned char *page)
{
    const uint64_t reserved =
        MEMCTX_PTE_BITS(63, 52) | MEMCTX_PTE_BITS(8, 6) | MEMCTX_PTE_BITS(2, 1);
    uint32_t first = 1;
    while (first < 3 && memctx_le64(page + 8 * first) == 0)
        first++;
    if (memctx_le64(page + 8 * first) == 0)
        return 0;
    for (size_t i = first; i < 4; i++) {
        uint64_t entry = memctx_le64(page + 8 * i);
        if (entry != 0 &&
            ((entry & MEMCTX_PTE_PRESENT) == 0 || (entry & reserved) != 0))
            return 0;
    }
    return is_zero(page, 8 * first) && is_zero(page + 32, MEMCTX_PAGE_SIZE - 32)
               ? first << 30
               : 0;
}

bool
memctx_linux_i386_is_root(const unsigned char *page)
{
    return offset_of_2level(page) != 0 || offset_of_pae(page) != 0;
}

/* PAGE_OFFSET and the paging of a root; the tables below are asked, too. */
static int
find_offset(const struct memctx_rammap *map, const unsigned char *page,
            uint32_t *ret, struct memctx_linux_image *image,
            struct memctx_error *err)
{
    unsigned char directory[MEMCTX_PAGE_SIZE];
    image->paging = MEMCTX_PAGING_X86_2LEVEL;
    *ret = offset_of_2level(page);
    if (*ret != 0)
        return 0;
    image->paging = MEMCTX_PAGING_X86_PAE;
    *ret = offset_of_pae(page);
    uint64_t entry = memctx_le64(page + 8 * (*ret >> 30));
    if (*ret == 0 ||
        memctx_rammap_read(map, entry & MEMCTX_PTE_FRAME, directory,
                           sizeof(directory), NULL) < 0 ||
        !is_direct_map(directory, MEMCTX_PAGE_SIZE / 8, 8, 21))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no direct map of i386 is in it");
    return 0;
}

/* Is this the kernel's, and read-only? Then it is code or .rodata. */
static bool
is_read_only(const struct memctx_rammap *map,
             const struct memctx_linux_image *image, uint64_t gpa)
{
    struct memctx_walk walk;
    return memctx_linux_texts_walk(map, image, gpa, &walk, NULL) == 0 &&
           !walk.writable;
}

int
memctx_linux_i386_image(const struct memctx_rammap *map, uint64_t root_gpa,
                        const unsigned char *page,
                        struct memctx_linux_image *ret,
                        struct memctx_error *err)
{
    uint32_t offset;
    if (find_offset(map, page, &offset, ret, err) < 0)
        return -1;
    uint64_t lowest = root_gpa - memctx_min(root_gpa, IMAGE_MAX);
    uint64_t nearest = root_gpa - memctx_min(root_gpa, DATA_MAX);
    uint64_t gpa = root_gpa - root_gpa % STEP;
    ret->gpa = 0;
    ret->base_gva = offset;
    ret->root_gpa = root_gpa;
    ret->tables_gpa = root_gpa;
    while (gpa > nearest && !is_read_only(map, ret, gpa))
        gpa -= STEP;
    while (gpa >= lowest + STEP && is_read_only(map, ret, gpa - STEP))
        gpa -= STEP;
    if (gpa == 0 || !is_read_only(map, ret, gpa))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "no read-only code is below it");
    ret->gpa = gpa;
    ret->base_gva = gpa + offset;
    ret->size = root_gpa + MEMCTX_PAGE_SIZE - gpa;
    return 0;
}

/* ---- the trampoline ----------------------------------------------------- */

static bool
is_boot_gdt(const struct memctx_rammap *map, uint64_t gpa)
{
    unsigned char gdt[32];
    return memctx_rammap_read(map, gpa, gdt, sizeof(gdt), NULL) == 0 &&
           (memctx_le64(gdt + 16) & ~ACCESSED) == BOOT_CS &&
           (memctx_le64(gdt + 24) & ~ACCESSED) == BOOT_DS;
}

/* Does init_mm.pgd, or what else is in .data, hold this address? A task's root
 * may stand in a page of .init that was freed: nothing there names it. */
static bool
is_named(const struct memctx_rammap *map, uint64_t gdt_gpa, uint32_t root_gva)
{
    uint64_t gpa = gdt_gpa - memctx_min(gdt_gpa, DATA_AROUND);
    uint64_t end = gdt_gpa + DATA_AROUND;
    unsigned char bytes[CHUNK];
    for (gpa -= gpa % CHUNK; gpa < end; gpa += CHUNK) {
        if (memctx_rammap_read(map, gpa, bytes, CHUNK, NULL) < 0)
            return false;
        for (size_t at = 0; at < CHUNK; at += 4) {
            if (memctx_le32(bytes + at) == root_gva)
                return true;
        }
    }
    return false;
}

static bool
is_root_at(const struct memctx_rammap *map, uint64_t gdt_gpa, uint64_t gpa,
           const unsigned char *page, struct memctx_linux_image *image)
{
    uint32_t offset;
    if (find_offset(map, page, &offset, image, NULL) < 0 ||
        !is_named(map, gdt_gpa, (uint32_t)gpa + offset))
        return false;
    *image = (struct memctx_linux_image){.paging = image->paging,
                                         .base_gva = offset,
                                         .tables_gpa = gpa,
                                         .root_gpa = gpa};
    return true;
}

/* The first root near boot_gdt. A guest may be full of what looks like one. */
static bool
find_root(const struct memctx_rammap *map, uint64_t gdt_gpa,
          struct memctx_linux_image *image)
{
    uint64_t gpa = gdt_gpa - memctx_min(gdt_gpa, ROOT_BEFORE);
    uint64_t end = gdt_gpa + ROOT_BEHIND;
    unsigned char bytes[CHUNK];
    unsigned roots = 0;
    for (gpa -= gpa % CHUNK; gpa < end && roots < ROOTS_MAX; gpa += CHUNK) {
        if (memctx_rammap_read(map, gpa, bytes, CHUNK, NULL) < 0)
            return false;
        for (size_t at = 0; at < CHUNK; at += MEMCTX_PAGE_SIZE) {
            if (!memctx_linux_i386_is_root(bytes + at))
                continue;
            if (is_root_at(map, gdt_gpa, gpa + at, bytes + at, image))
                return true;
            roots++;
        }
    }
    return false;
}

static bool
is_known(const struct memctx_linux_image *images, size_t n, uint64_t root_gpa)
{
    for (size_t i = 0; i < n; i++) {
        if (images[i].root_gpa == root_gpa)
            return true;
    }
    return false;
}

/* The header of a trampoline that leads to a root. */
static bool
follow_header(const struct memctx_rammap *map, const unsigned char *header,
              struct memctx_linux_image *ret)
{
    uint64_t gdt_gpa = memctx_le32(header + 8);
    return is_boot_gdt(map, gdt_gpa) && find_root(map, gdt_gpa, ret);
}

size_t
memctx_linux_i386_find(const struct memctx_rammap *map,
                       struct memctx_linux_image *ret, size_t max)
{
    unsigned char bytes[CHUNK];
    size_t n = 0;
    size_t headers = 0;
    for (uint64_t gpa = 0; gpa < REAL_MODE_END; gpa += CHUNK) {
        if (memctx_rammap_read(map, gpa, bytes, CHUNK, NULL) < 0)
            return n;
        for (size_t at = 0; at + 12 <= CHUNK && headers < HEADERS_MAX;
             at += 4) {
            if (memctx_le32(bytes + at + 4) != GDT_LIMIT)
                continue;
            headers++;
            if (n < max && follow_header(map, bytes + at, &ret[n]) &&
                !is_known(ret, n, ret[n].root_gpa))
                n++;
        }
    }
    return n;
}
