/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through a kernel's variables for pointers to whole pages. Knows neither
 * symbols nor what the pages hold. */
#include "guest/linux/pointers.h"

#include "base/bytes.h"

#define CHUNK (64 * MEMCTX_KIB)
#define DATA_MAX (64 * MEMCTX_MIB)     /* .data, .init and .bss together */
#define DATA_BEFORE (512 * MEMCTX_KIB) /* of .data before its page tables */
#define NOTE_NAME 12u   /* bytes of an ELF note before its name */
#define PAGES_MAX 8192u /* reported */
#define SEEN 1024u      /* remembered, to report each about once */

/* Kernel pointers are above; the direct map is, with 4 and with 5 levels
 * (Documentation/arch/x86/x86_64/mm.rst). */
#define DIRECT_MAP_MIN (UINT64_C(0xff) << 56)

struct hunt {
    const struct memctx_rammap *map;
    const struct memctx_linux_image *image;
    memctx_linux_page_fn *page;
    void *arg;
    bool has_offset;
    uint64_t offset; /* of the direct map: gva - gpa */
    unsigned left;   /* pages that may be reported yet */
    uint64_t seen[SEEN];
};

/* The direct map begins on a 1 GiB boundary, moved by KASLR or not
 * (arch/x86/mm/kaslr.c); a pointer into vmalloc space would hardly say so. */
static bool
learn_offset(struct hunt *h, uint64_t gva)
{
    struct memctx_walk walk;
    if (memctx_paging_walk(h->map, h->image->paging, h->image->root_gpa, gva,
                           &walk, NULL) < 0 ||
        (gva - walk.gpa) % MEMCTX_GIB != 0 ||
        !memctx_rammap_contains(h->map, walk.gpa, MEMCTX_PAGE_SIZE))
        return false;
    h->offset = gva - walk.gpa;
    h->has_offset = true;
    return true;
}

/* A word that points to the start of a page. False: that is enough. */
static bool
follow(struct hunt *h, uint64_t gva)
{
    uint64_t *seen = &h->seen[gva / MEMCTX_PAGE_SIZE % SEEN];
    if (*seen == gva)
        return true;
    *seen = gva;
    if (!h->has_offset && !learn_offset(h, gva))
        return --h->left > 0;
    uint64_t gpa = gva - h->offset;
    if (!memctx_rammap_contains(h->map, gpa, MEMCTX_PAGE_SIZE))
        return true;
    return h->page(gpa, h->arg) && --h->left > 0;
}

/* Does the name of a note begin in this word, which is where two words of 32
 * bits are? *at becomes how far into it. */
static bool
has_name(uint64_t word, uint64_t *at)
{
    const uint32_t name = memctx_le32((const unsigned char *)"VMCO");
    *at = (uint32_t)word == name ? 0 : 4;
    return (uint32_t)word == name || word >> 32 == name;
}

static bool
follow_words(struct hunt *h, uint64_t gpa, const unsigned char *bytes,
             size_t len_bytes)
{
    for (size_t i = 0; i + 8 <= len_bytes; i += 8) {
        uint64_t word = memctx_le64(bytes + i);
        uint64_t at;
        if (word % MEMCTX_PAGE_SIZE == 0 && word >= DIRECT_MAP_MIN &&
            word < MEMCTX_LINUX_IMAGE_MAP && !follow(h, word))
            return false;
        if (has_name(word, &at) &&
            (!h->page(gpa + i + at - NOTE_NAME, h->arg) || --h->left == 0))
            return false;
    }
    return true;
}

uint64_t
memctx_linux_pointers(const struct memctx_rammap *map,
                      const struct memctx_linux_image *image,
                      memctx_linux_page_fn *page, void *arg)
{
    struct hunt h = {.map = map,
                     .image = image,
                     .page = page,
                     .arg = arg,
                     .left = PAGES_MAX};
    uint64_t gpa =
        memctx_max(image->gpa, image->tables_gpa -
                                   memctx_min(image->tables_gpa, DATA_BEFORE));
    uint64_t end =
        memctx_min(image->gpa + image->size, image->tables_gpa + DATA_MAX);
    uint64_t from = gpa;
    unsigned char bytes[CHUNK];
    for (; image->root_gpa != 0 && gpa < end; gpa += CHUNK) {
        size_t len = (size_t)memctx_min(CHUNK, end - gpa);
        if (memctx_rammap_read(map, gpa, bytes, len, NULL) == 0 &&
            !follow_words(&h, gpa, bytes, len))
            break;
    }
    return memctx_min(gpa, end) - from;
}
