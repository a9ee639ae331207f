/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks for both in the blocks of an image, the nearest to its root first. */
#include "guest/linux/texts.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"

#define BLOCK MEMCTX_MIB
#define BLOCKS_MAX 64u
#define OVERLAP 256u /* texts that straddle two blocks */

/* init/version.c: linux_banner; the first word behind it is the release. */
static const char banner[] = "Linux version ";

/* struct new_utsname: six arrays of 65 bytes (include/uapi/linux/utsname.h),
 * the third is the release, the fourth begins with '#'. */
#define UTS_FIELD 65u
#define UTS_LEN (3 * UTS_FIELD + 1)

/* An image may hold old banners (of its log) and copies of the name. */
#define RELEASES_MAX 4

struct releases {
    char text[RELEASES_MAX][MEMCTX_VERSION_MAX];
    size_t n;
};

struct hunt {
    const struct memctx_rammap *map;
    const struct memctx_linux_image *image;
    bool booting;
    struct releases banners;
    struct releases names;
    const char *agreed;   /* NULL: no release is in both */
    uint64_t pointer;     /* word that is to stand in the image, */
    size_t pointer_bytes; /* of so many bytes; 0: no longer */
};

int
memctx_linux_texts_walk(const struct memctx_rammap *map,
                        const struct memctx_linux_image *image, uint64_t gpa,
                        struct memctx_walk *ret, struct memctx_error *err)
{
    uint64_t gva = image->base_gva + (gpa - image->gpa);
    if (memctx_paging_walk(map, image->paging, image->root_gpa, gva, ret, err) <
        0)
        return -1;
    if (ret->gpa != gpa || ret->user)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 " leads to gpa %#" PRIx64
                                ", wanted %#" PRIx64 " of the kernel",
                                gva, ret->gpa, gpa);
    return 0;
}

static bool
has_release(const struct releases *releases, const char *release)
{
    for (size_t i = 0; i < releases->n; i++) {
        if (strcmp(releases->text[i], release) == 0)
            return true;
    }
    return false;
}

/* Take the release that begins here, if `end` is behind it. */
static bool
take_release(const unsigned char *text, size_t len, const char *end,
             char release[MEMCTX_VERSION_MAX])
{
    size_t n = 0;
    while (n < len && n + 1 < MEMCTX_VERSION_MAX && text[n] > ' ' &&
           text[n] < 0x7f) {
        release[n] = (char)text[n];
        n++;
    }
    release[n] = '\0';
    size_t end_len = strlen(end) > 0 ? strlen(end) : 1; /* "": a NUL */
    return n > 0 && len - n >= end_len && memcmp(text + n, end, end_len) == 0 &&
           release[0] >= '0' && release[0] <= '9';
}

/* One more of the texts of a kind, if it stands in memory of that kind. */
static void
add_release(struct hunt *h, struct releases *to, const char *release,
            uint64_t gpa)
{
    struct memctx_walk walk;
    bool writable = to == &h->names;
    if (to->n == RELEASES_MAX || has_release(to, release) ||
        memctx_linux_texts_walk(h->map, h->image, gpa, &walk, NULL) < 0 ||
        (walk.writable != writable && !h->booting))
        return;
    strcpy(to->text[to->n], release);
    if (has_release(writable ? &h->banners : &h->names, release))
        h->agreed = to->text[to->n];
    to->n++;
}

static void
look_at_text(struct hunt *h, const unsigned char *text, size_t len,
             uint64_t gpa)
{
    char release[MEMCTX_VERSION_MAX];
    size_t head = sizeof(banner) - 1;
    if (len > head && memcmp(text, banner, head) == 0 &&
        take_release(text + head, len - head, " (", release))
        add_release(h, &h->banners, release, gpa);
    else if (len >= UTS_LEN && text[5] == '\0' && text[3 * UTS_FIELD] == '#' &&
             take_release(text + 2 * UTS_FIELD, UTS_FIELD, "", release))
        add_release(h, &h->names, release, gpa);
}

static void
look_for_pointer(struct hunt *h, const unsigned char *bytes, size_t len,
                 uint64_t gpa)
{
    struct memctx_walk walk;
    size_t step = h->pointer_bytes;
    for (size_t at = 0; step != 0 && at + step <= len; at += step) {
        uint64_t word =
            step == 4 ? memctx_le32(bytes + at) : memctx_le64(bytes + at);
        if (word == h->pointer &&
            memctx_work_look(memctx_rammap_work(h->map)) &&
            memctx_linux_texts_walk(h->map, h->image, gpa + at, &walk, NULL) ==
                0 &&
            walk.writable)
            step = h->pointer_bytes = 0;
    }
}

static bool
is_complete(const struct hunt *h)
{
    return h->agreed != NULL && h->pointer_bytes == 0;
}

/* Both begin with "Linux". To look for that costs about twice what it costs to
 * read the block. When the work is used up, the next read says so. */
static void
look_at_block(struct hunt *h, const unsigned char *bytes, size_t len,
              uint64_t gpa)
{
    struct memctx_work *work = memctx_rammap_work(h->map);
    const unsigned char *at = bytes;
    const unsigned char *end = bytes + len;
    if (!memctx_work_charge(work, 2 * len / MEMCTX_PAGE_SIZE))
        return;
    look_for_pointer(h, bytes, len, gpa);
    /* Bounded by the block: each turn begins behind the last hit. */
    while (h->agreed == NULL &&
           (at = memmem(at, (size_t)(end - at), "Linux", 5)) != NULL &&
           memctx_work_look(work)) {
        look_at_text(h, at, (size_t)(end - at), gpa + (uint64_t)(at - bytes));
        at += 5;
    }
}

/* Where the n-th block begins: that of the root, the one above, the one below,
 * the second above, ... False: the image does not reach there. */
static bool
locate_block(const struct memctx_linux_image *image, unsigned n, uint64_t *gpa)
{
    uint64_t distance = (n + 1) / 2 * BLOCK;
    uint64_t at = image->root_gpa - image->gpa;
    at -= at % BLOCK;
    if (n % 2 == 0 && distance > at)
        return false;
    at = n % 2 == 0 ? at - distance : at + distance;
    *gpa = image->gpa + at;
    return at < image->size;
}

/* Where the place of a root alone tells that it is the kernel's, as on x86-64,
 * no pointer to it is asked for. */
static size_t
pointer_bytes(const struct memctx_linux_image *image)
{
    const struct memctx_paging_arch *arch =
        memctx_paging_format(image->paging)->arch;
    return arch->elf_machine == EM_X86_64 ? 0 : arch->pointer_bytes;
}

int
memctx_linux_texts_find(const struct memctx_rammap *map,
                        const struct memctx_linux_image *image, bool booting,
                        char release[MEMCTX_VERSION_MAX],
                        struct memctx_error *err)
{
    struct hunt h = {.map = map,
                     .booting = booting,
                     .image = image,
                     .pointer = image->base_gva + image->root_gpa - image->gpa,
                     .pointer_bytes = pointer_bytes(image)};
    uint64_t end = image->gpa + image->size;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    unsigned char *block = malloc(BLOCK + OVERLAP);
    if (block == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (unsigned n = 0; n < 2 * BLOCKS_MAX && !is_complete(&h); n++) {
        uint64_t gpa;
        if (!locate_block(image, n, &gpa))
            continue;
        size_t len = (size_t)memctx_min(BLOCK + OVERLAP, end - gpa);
        if (memctx_rammap_read(map, gpa, block, len, err) < 0)
            return -1;
        look_at_block(&h, block, len, gpa);
    }
    if (h.agreed == NULL)
        return memctx_error_set(err, MEMCTX_RETRY, "the image has no %s",
                                h.banners.n == 0 ? "\"Linux version ...\""
                                                 : "init_uts_ns");
    if (h.pointer_bytes != 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the image has no init_mm with this root: a "
                                "task's");
    strcpy(release, h.agreed);
    return 0;
}
