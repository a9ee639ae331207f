/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through a kernel's variables for pointers to whole pages. Knows neither
 * symbols nor what the pages hold. */
#include "guest/linux/pointers.h"

#include <elf.h>

#include "base/bytes.h"

#define CHUNK (64 * MEMCTX_KIB)
#define DATA_MAX (64 * MEMCTX_MIB)     /* .data, .init and .bss together */
#define DATA_BEFORE (512 * MEMCTX_KIB) /* of .data before its page tables */
#define NOTE_NAME 12u /* bytes of an ELF note before its name */
#define DATA_BEFORE_32 (4 * MEMCTX_MIB) /* ... before the root on i386, */
#define BSS_32 (8 * MEMCTX_MIB)         /* and .bss behind it */
#define PAGES_MAX 8192u                 /* reported */
#define SEEN 1024u /* remembered, to report each about once */

/* Kernel pointers are above; the direct map is, with 4 and with 5 levels
 * (Documentation/arch/x86/x86_64/mm.rst). */
#define DIRECT_MAP_MIN (UINT64_C(0xff) << 56)

/* What a word must be to be followed, and where words are. */
struct field {
    uint64_t gpa;
    uint64_t end;
    uint64_t least; /* pointers */
    uint64_t above; /* ... are below this */
    size_t word_bytes;
    bool has_offset;
    uint64_t offset; /* of the direct map: gva - gpa */
};

struct hunt {
    const struct memctx_rammap *map;
    const struct memctx_linux_image *image;
    memctx_linux_page_fn *page;
    void *arg;
    struct field field;
    unsigned left; /* pages that may be reported yet */
    uint64_t seen[SEEN];
};

static struct field
field_of_64(const struct memctx_linux_image *image)
{
    uint64_t tables = image->tables_gpa;
    return (struct field){
        .gpa = memctx_max(image->gpa, tables - memctx_min(tables, DATA_BEFORE)),
        .end = memctx_min(image->gpa + image->size, tables + DATA_MAX),
        .least = DIRECT_MAP_MIN,
        .above = MEMCTX_LINUX_IMAGE_MAP,
        .word_bytes = 8};
}

/* Where the image ends nobody has said. The root is at the beginning of .bss,
 * and all of RAM that the kernel uses for itself is in the direct map. */
static struct field
field_of_32(const struct memctx_linux_image *image)
{
    uint64_t root = image->root_gpa;
    uint64_t offset = image->base_gva - image->gpa;
    return (struct field){.gpa = root - memctx_min(root, DATA_BEFORE_32),
                          .end = root + BSS_32,
                          .least = offset,
                          .above = UINT32_MAX,
                          .word_bytes = 4,
                          .has_offset = true,
                          .offset = offset};
}

/* From the root, in .rodata, to the end of .bss. The direct map is the lower
 * half of the kernel's addresses. */
static struct field
field_of_arm(const struct memctx_linux_image *image)
{
    unsigned bits = memctx_paging_format(image->paging)->va_bits;
    return (struct field){.gpa = image->root_gpa,
                          .end = image->gpa + image->size,
                          .least = UINT64_MAX << bits,
                          .above = UINT64_MAX << (bits - 1),
                          .word_bytes = 8};
}

static struct field
choose_field(const struct memctx_linux_image *image)
{
    switch (memctx_paging_format(image->paging)->arch->elf_machine) {
    case EM_386:
        return field_of_32(image);
    case EM_AARCH64:
        return field_of_arm(image);
    default:
        return field_of_64(image);
    }
}

static bool
is_x86(const struct memctx_linux_image *image)
{
    return memctx_paging_format(image->paging)->arch->elf_machine == EM_X86_64;
}

/* The direct map of x86-64 begins on a 1 GiB boundary, moved by KASLR or not
 * (arch/x86/mm/kaslr.c); a pointer into vmalloc space would hardly say so. On
 * aarch64 vmalloc space is not among the pointers, and the map may begin
 * anywhere. */
static bool
learn_offset(struct hunt *h, uint64_t gva)
{
    struct memctx_walk walk;
    if (memctx_paging_walk(h->map, h->image->paging, h->image->root_gpa, gva,
                           &walk, NULL) < 0 ||
        (is_x86(h->image) && (gva - walk.gpa) % MEMCTX_GIB != 0) ||
        !memctx_rammap_contains(h->map, walk.gpa, MEMCTX_PAGE_SIZE))
        return false;
    h->field.offset = gva - walk.gpa;
    h->field.has_offset = true;
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
    if (!h->field.has_offset && !learn_offset(h, gva))
        return --h->left > 0;
    uint64_t gpa = gva - h->field.offset;
    if (!memctx_rammap_contains(h->map, gpa, MEMCTX_PAGE_SIZE))
        return true;
    return h->page(gpa, h->arg) && --h->left > 0;
}

static inline bool
is_pointer(const struct field *field, uint64_t word)
{
    return word % MEMCTX_PAGE_SIZE == 0 && word >= field->least &&
           word < field->above;
}

/* Does the name of a note begin in this word, which is where two words of 32
 * bits are? *at becomes how far into it. */
static inline bool
has_name(uint64_t word, uint64_t *at)
{
    const uint32_t name = memctx_le32((const unsigned char *)"VMCO");
    *at = (uint32_t)word == name ? 0 : 4;
    return (uint32_t)word == name || word >> 32 == name;
}

static bool
follow_word(struct hunt *h, uint64_t word, uint64_t gpa)
{
    uint64_t at;
    if (is_pointer(&h->field, word))
        return follow(h, word);
    return !has_name(word, &at) ||
           (h->page(gpa + at - NOTE_NAME, h->arg) && --h->left > 0);
}

/* Millions of words at each try: most are 0, and the size of the others is to
 * be a constant of the loop. */
static inline bool
follow_words_of(struct hunt *h, uint64_t gpa, const unsigned char *bytes,
                size_t len_bytes, size_t step)
{
    for (size_t i = 0; i + step <= len_bytes; i += step) {
        uint64_t word =
            step == 4 ? memctx_le32(bytes + i) : memctx_le64(bytes + i);
        if (word != 0 && !follow_word(h, word, gpa + i))
            return false;
    }
    return true;
}

static bool
follow_words(struct hunt *h, uint64_t gpa, const unsigned char *bytes,
             size_t len_bytes)
{
    return h->field.word_bytes == 4
               ? follow_words_of(h, gpa, bytes, len_bytes, 4)
               : follow_words_of(h, gpa, bytes, len_bytes, 8);
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
                     .field = choose_field(image),
                     .left = PAGES_MAX};
    uint64_t gpa = h.field.gpa;
    uint64_t end = h.field.end;
    unsigned char bytes[CHUNK];
    for (; image->root_gpa != 0 && gpa < end; gpa += CHUNK) {
        size_t len = (size_t)memctx_min(CHUNK, end - gpa);
        if (memctx_rammap_read(map, gpa, bytes, len, NULL) == 0 &&
            !follow_words(&h, gpa, bytes, len))
            break;
    }
    return memctx_min(gpa, end) - h.field.gpa;
}
