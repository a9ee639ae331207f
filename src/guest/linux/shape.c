/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows a page that looks like a root to the texts in its kernel's image. */
#include "guest/linux/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "guest/linux/image.h"
#include "guest/linux/texts.h"

#define ENTRIES (MEMCTX_PAGE_SIZE / 8)

/* Entries from 256 on up to here map the direct map, vmalloc and vmemmap; with
 * 4 levels what follows (KASAN's shadow, cpu_entry_area, espfix) is also what
 * level4_kernel_pgt has with 5 levels (Documentation/arch/x86/x86_64/mm.rst).
 * Without the difference that table would look like a root. */
#define DIRECT_MAP_END 504u

/* A root on its way through the checks. */
struct candidate {
    const struct memctx_rammap *map;
    uint64_t root_gpa;
    struct memctx_linux_image image;
    char release[MEMCTX_VERSION_MAX];
};

static bool
is_present(const unsigned char *page, size_t index)
{
    return (memctx_le64(page + 8 * index) & MEMCTX_PTE_PRESENT) != 0;
}

static bool
is_user(const unsigned char *page, size_t index)
{
    return is_present(page, index) &&
           (memctx_le64(page + 8 * index) & MEMCTX_PTE_USER) != 0;
}

bool
memctx_linux_shape_is_clue(const unsigned char *page, uint64_t page_gpa)
{
    bool other = false;
    if (!is_present(page, ENTRIES - 1) ||
        (memctx_le64(page + 8 * (ENTRIES - 1)) & MEMCTX_PTE_LARGE) != 0)
        return false;
    for (size_t i = 0; i < ENTRIES / 2; i++) {
        if (is_user(page, i))
            return false;
    }
    for (size_t i = ENTRIES / 2; i < DIRECT_MAP_END; i++) {
        uint64_t entry = memctx_le64(page + 8 * i);
        if (is_present(page, i) && (entry & MEMCTX_PTE_FRAME) == page_gpa)
            return false;
        other = other || is_present(page, i);
    }
    return other;
}

static int
check_image(struct candidate *c, struct memctx_error *err)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    if (memctx_rammap_read(c->map, c->root_gpa, page, sizeof(page), err) < 0)
        return -1;
    if (!memctx_linux_shape_is_clue(page, c->root_gpa) ||
        !memctx_linux_image_of_root(c->map, page, &c->image))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "entry 511 leads to no kernel's image");
    if (c->root_gpa < c->image.gpa || c->root_gpa >= c->image.tables_gpa ||
        c->image.tables_gpa - c->root_gpa > MEMCTX_LINUX_ROOT_NEAR)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the root is not where the image has its own: "
                                "a task's");
    c->image.root_gpa = c->root_gpa;
    return 0;
}

static int
check_text(struct candidate *c, struct memctx_error *err)
{
    struct memctx_walk walk;
    if (memctx_linux_texts_walk(c->map, &c->image, c->image.gpa, &walk, err) <
        0)
        return -1;
    if (!walk.executable || walk.writable)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the image does not begin with read-only code");
    return 0;
}

static void
describe(const struct candidate *c, struct memctx_kernel *kernel)
{
    memset(kernel, 0, sizeof(*kernel));
    kernel->os = MEMCTX_OS_LINUX;
    kernel->paging = c->image.paging;
    kernel->kcr3 = c->root_gpa;
    kernel->clue_gpa = c->root_gpa;
    kernel->base_gva = c->image.base_gva;
    memcpy(kernel->version, c->release, sizeof(kernel->version));
    strcpy(kernel->checks, "image,text,banner,uts");
    kernel->linux_facts.has_phys_base = true;
    kernel->linux_facts.phys_base =
        (int64_t)(c->image.gpa - (c->image.base_gva - MEMCTX_LINUX_IMAGE_MAP));
}

int
memctx_linux_shape_verify(const struct memctx_rammap *map, uint64_t root_gpa,
                          struct memctx_kernel *ret, struct memctx_error *err)
{
    struct candidate c = {.map = map, .root_gpa = root_gpa};
    if (check_image(&c, err) < 0 || check_text(&c, err) < 0 ||
        memctx_linux_texts_find(map, &c.image, c.release, err) < 0)
        return memctx_error_prefix(err, "root at gpa %#" PRIx64, root_gpa);
    describe(&c, ret);
    return 0;
}
