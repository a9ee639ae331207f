/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows a page that looks like a root to the texts in its kernel's image. */
#include "guest/linux/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "guest/linux/image.h"

#define ENTRIES (MEMCTX_PAGE_SIZE / 8)
#define BLOCK MEMCTX_MIB

/* Entries from 256 on up to here map the direct map, vmalloc and vmemmap; with
 * 4 levels what follows (KASAN's shadow, cpu_entry_area, espfix) is also what
 * level4_kernel_pgt has with 5 levels (Documentation/arch/x86/x86_64/mm.rst).
 * Without the difference that table would look like a root. */
#define DIRECT_MAP_END 504u
#define BLOCKS_MAX 64u

/* init/version.c: linux_banner; the first word behind it is the release. */
static const char banner[] = "Linux version ";

/* struct new_utsname: six arrays of 65 bytes (include/uapi/linux/utsname.h),
 * the third is the release, the fourth begins with '#'. */
#define UTS_FIELD 65u
#define UTS_LEN (3 * UTS_FIELD + 1)

/* Texts that straddle two blocks. */
#define OVERLAP 256u

/* A root on its way through the checks. */
struct candidate {
    const struct memctx_rammap *map;
    uint64_t root_gpa;
    struct memctx_linux_image image;
    char release[MEMCTX_VERSION_MAX]; /* "" until the banner was seen */
    bool has_uts;
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
    return 0;
}

/* Where does the kernel see this byte of its image? */
static int
walk_back(const struct candidate *c, uint64_t gpa, struct memctx_walk *walk,
          struct memctx_error *err)
{
    uint64_t gva = c->image.base_gva + (gpa - c->image.gpa);
    if (memctx_paging_walk(c->map, c->image.paging, c->root_gpa, gva, walk,
                           err) < 0)
        return -1;
    if (walk->gpa != gpa || walk->user)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 " leads to gpa %#" PRIx64
                                ", wanted %#" PRIx64 " of the kernel",
                                gva, walk->gpa, gpa);
    return 0;
}

static int
check_text(struct candidate *c, struct memctx_error *err)
{
    struct memctx_walk walk;
    if (walk_back(c, c->image.gpa, &walk, err) < 0)
        return -1;
    if (!walk.executable || walk.writable)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the image does not begin with read-only code");
    return 0;
}

/* The release behind a banner: printable, as far as the blank. */
static void
look_at_banner(struct candidate *c, const unsigned char *text, size_t len,
               uint64_t gpa)
{
    struct memctx_walk walk;
    char release[MEMCTX_VERSION_MAX];
    size_t n = 0;
    text += sizeof(banner) - 1;
    len -= sizeof(banner) - 1;
    while (n < len && n + 1 < sizeof(release) && text[n] > ' ' &&
           text[n] < 0x7f) {
        release[n] = (char)text[n];
        n++;
    }
    release[n] = '\0';
    bool whole = n > 0 && n + 1 < len && text[n] == ' ' && text[n + 1] == '(';
    if (!whole || release[0] < '0' || release[0] > '9' ||
        walk_back(c, gpa, &walk, NULL) < 0 || walk.writable)
        return;
    memcpy(c->release, release, n + 1);
}

static void
look_at_uts(struct candidate *c, const unsigned char *uts, size_t len,
            uint64_t gpa)
{
    struct memctx_walk walk;
    if (len < UTS_LEN || uts[3 * UTS_FIELD] != '#' ||
        strncmp((const char *)uts + 2 * UTS_FIELD, c->release, UTS_FIELD) !=
            0 ||
        walk_back(c, gpa, &walk, NULL) < 0 || !walk.writable)
        return;
    c->has_uts = true;
}

/* To look for a text costs about twice what it costs to read the block. */
static bool
pay_block(const struct candidate *c, size_t len)
{
    return memctx_work_charge(memctx_rammap_work(c->map),
                              2 * len / MEMCTX_PAGE_SIZE);
}

/* Both begin alike: "Linux" and a blank, or a NUL. When the work is used up,
 * the next read says so. */
static void
look_at_block(struct candidate *c, const unsigned char *bytes, size_t len,
              uint64_t gpa)
{
    const unsigned char *at = bytes;
    const unsigned char *end = bytes + len;
    if (!pay_block(c, len))
        return;
    /* Bounded by the block: each turn begins behind the last hit. */
    while (!c->has_uts &&
           (at = memmem(at, (size_t)(end - at), "Linux", 5)) != NULL &&
           memctx_work_look(memctx_rammap_work(c->map))) {
        size_t left = (size_t)(end - at);
        uint64_t at_gpa = gpa + (uint64_t)(at - bytes);
        if (c->release[0] == '\0' && left > sizeof(banner) &&
            memcmp(at, banner, sizeof(banner) - 1) == 0)
            look_at_banner(c, at, left, at_gpa);
        else if (c->release[0] != '\0' && left > 5 && at[5] == '\0')
            look_at_uts(c, at, left, at_gpa);
        at += 5;
    }
}

/* linux_banner is in .rodata, init_uts_ns behind it in .data. */
static int
check_texts(struct candidate *c, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    unsigned char *block = malloc(BLOCK + OVERLAP);
    uint64_t end = c->image.gpa + c->image.size;
    uint64_t gpa = c->image.gpa;
    if (block == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (unsigned i = 0; i < BLOCKS_MAX && gpa < end && !c->has_uts; i++) {
        size_t len = (size_t)memctx_min(BLOCK + OVERLAP, end - gpa);
        if (memctx_rammap_read(c->map, gpa, block, len, err) < 0)
            return -1;
        look_at_block(c, block, len, gpa);
        gpa += BLOCK;
    }
    if (c->has_uts)
        return 0;
    return memctx_error_set(err, MEMCTX_RETRY, "the image has no %s",
                            c->release[0] == '\0' ? "\"Linux version ...\""
                                                  : "init_uts_ns");
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
        check_texts(&c, err) < 0)
        return memctx_error_prefix(err, "root at gpa %#" PRIx64, root_gpa);
    describe(&c, ret);
    return 0;
}
