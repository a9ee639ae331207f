/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows a page that looks like a root to the texts in its kernel's image. */
#include "guest/linux/shape.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "guest/linux/arm.h"
#include "guest/linux/i386.h"
#include "guest/linux/image.h"
#include "guest/linux/texts.h"

#define ENTRIES (MEMCTX_PAGE_SIZE / 8)

/* Entries from 256 on up to here map the direct map, vmalloc and vmemmap; with
 * 4 levels what follows (KASAN's shadow, cpu_entry_area, espfix) is also what
 * level4_kernel_pgt has with 5 levels (Documentation/arch/x86/x86_64/mm.rst).
 * Without the difference that table would look like a root. */
#define DIRECT_MAP_END 504u

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

/* The kernel's own root has these marks together. Its last entry leads to
 * tables of the image. Nothing in the lower half is for user space, which a
 * task's root has. No entry points back to the page, as one of Windows' does.
 * And something is mapped below the image: the direct map. */
static bool
is_root_of_64(const unsigned char *page, uint64_t page_gpa)
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

/* The root's place in the image that it maps. */
static int
image_of_64(const struct memctx_rammap *map, uint64_t root_gpa,
            const unsigned char *page, struct memctx_linux_image *ret,
            struct memctx_error *err)
{
    if (!memctx_linux_image_of_root(map, page, ret))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "entry 511 leads to no kernel's image");
    if (root_gpa < ret->gpa || root_gpa >= ret->tables_gpa ||
        ret->tables_gpa - root_gpa > MEMCTX_LINUX_ROOT_NEAR)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the root is not where the image has its own: "
                                "a task's");
    ret->root_gpa = root_gpa;
    return 0;
}

static bool
is_root_of_32(const unsigned char *page, uint64_t page_gpa)
{
    (void)page_gpa;
    return memctx_linux_i386_is_root(page);
}

static bool
is_root_of_arm(const unsigned char *page, uint64_t page_gpa)
{
    (void)page_gpa;
    return memctx_linux_arm_is_root(page);
}

/* How a page leads to a kernel's image, on each architecture. */
static const struct kind {
    bool (*is_clue)(const unsigned char *page, uint64_t page_gpa);
    int (*image)(const struct memctx_rammap *map, uint64_t page_gpa,
                 const unsigned char *page, struct memctx_linux_image *ret,
                 struct memctx_error *err);
    bool is_named; /* by init_mm */
} kinds[] = {
    {is_root_of_64, image_of_64, false},
    {is_root_of_32, memctx_linux_i386_image, true},
    {is_root_of_arm, memctx_linux_arm_image, true},
};

bool
memctx_linux_shape_is_clue(const unsigned char *page, uint64_t page_gpa)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(kinds); i++) {
        if (kinds[i].is_clue(page, page_gpa))
            return true;
    }
    return false;
}

/* A root of two levels may look like one of four, too. */
static int
find_image(const struct memctx_rammap *map, uint64_t clue_gpa,
           const struct kind **kind, struct memctx_linux_image *ret,
           struct memctx_error *err)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    struct memctx_error why = MEMCTX_ERROR_INIT;
    memctx_error_set(&why, MEMCTX_RETRY,
                     "it does not have the shape of a root");
    if (memctx_rammap_read(map, clue_gpa, page, sizeof(page), err) < 0)
        return -1;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(kinds); i++) {
        *kind = &kinds[i];
        if (kinds[i].is_clue(page, clue_gpa) &&
            kinds[i].image(map, clue_gpa, page, ret, &why) == 0)
            return 0;
    }
    return memctx_error_set(err, why.kind, "%s", why.message);
}

/* Does it map code where the image begins? *read_only: that cannot be changed.
 */
static int
check_text(const struct memctx_rammap *map,
           const struct memctx_linux_image *image, bool *read_only,
           struct memctx_error *err)
{
    struct memctx_walk walk;
    if (memctx_linux_texts_walk(map, image, image->gpa, &walk, err) < 0)
        return -1;
    *read_only = !walk.writable;
    if (!walk.executable)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the image does not begin with code");
    return 0;
}

/* The kernel makes its code read-only at the end of its boot (mark_readonly()
 * in init/main.c). Before that only the texts speak for it, which will do for a
 * caller that also wants kernels that are still `booting`. */
static int
prove(const struct memctx_rammap *map, const struct memctx_linux_image *image,
      bool booting, struct memctx_kernel *kernel, struct memctx_error *err)
{
    bool read_only;
    if (check_text(map, image, &read_only, err) < 0)
        return -1;
    if (!read_only && !booting)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the image does not begin with read-only code");
    if (memctx_linux_texts_find(map, image, !read_only, kernel->version, err) <
        0)
        return -1;
    memctx_checks_add(kernel->checks, "image");
    if (read_only)
        memctx_checks_add(kernel->checks, "text");
    memctx_checks_add(kernel->checks, "banner");
    memctx_checks_add(kernel->checks, "uts");
    return 0;
}

static void
describe(const struct memctx_linux_image *image, struct memctx_kernel *kernel)
{
    struct memctx_linux_facts *facts = &kernel->linux_facts;
    unsigned machine = memctx_paging_format(image->paging)->arch->elf_machine;
    kernel->os = MEMCTX_OS_LINUX;
    kernel->paging = image->paging;
    kernel->kcr3 = image->root_gpa;
    kernel->base_gva =
        machine == EM_AARCH64 ? memctx_linux_arm_base(image) : image->base_gva;
    facts->has_phys_base = machine == EM_X86_64;
    if (facts->has_phys_base)
        facts->phys_base =
            (int64_t)(image->gpa - (image->base_gva - MEMCTX_LINUX_IMAGE_MAP));
    facts->has_kimage_voffset = machine == EM_AARCH64;
    if (facts->has_kimage_voffset)
        facts->kimage_voffset = image->base_gva - image->gpa;
}

int
memctx_linux_shape_verify(const struct memctx_rammap *map, uint64_t clue_gpa,
                          bool booting, struct memctx_kernel *ret,
                          struct memctx_linux_image *image,
                          struct memctx_error *err)
{
    const struct kind *kind;
    struct memctx_kernel kernel = {.clue_gpa = clue_gpa};
    if (find_image(map, clue_gpa, &kind, image, err) < 0 ||
        prove(map, image, booting, &kernel, err) < 0)
        return memctx_error_prefix(err, "root at gpa %#" PRIx64, clue_gpa);
    describe(image, &kernel);
    if (kind->is_named)
        memctx_checks_add(kernel.checks, "init-mm");
    *ret = kernel;
    return 0;
}
