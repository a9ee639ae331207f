/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tells from the bytes of a page whether something begins there that leads to a
 * kernel. Every page of RAM passes here. */
#include "guest/linux/clue.h"

#include <string.h>

#include "base/bytes.h"
#include "guest/linux/i386.h"
#include "guest/linux/image.h"
#include "guest/linux/note.h"
#include "guest/linux/pointers.h"
#include "guest/linux/shape.h"
#include "guest/linux/vmcoreinfo.h"

/* Before 4.13 the note is a static array of u32: anywhere, aligned to 4. */
static void
scan_unaligned(const struct memctx_block *block, memctx_clue_fn *clue,
               void *arg)
{
    const unsigned char *from = block->bytes;
    const unsigned char *end = block->bytes + block->len_bytes;
    const unsigned char *name;
    /* Bounded by the block: each turn begins behind the last hit. */
    while ((name = memmem(from, (size_t)(end - from), "VMCOREINFO\0", 11)) !=
           NULL) {
        from = name + 1;
        size_t at = (size_t)(name - block->bytes);
        /* Those on page starts have been reported. */
        if (at < 12 || at % 4 != 0 || (at - 12) % MEMCTX_PAGE_SIZE == 0 ||
            at - 12 + MEMCTX_VMCOREINFO_NOTE_HEADER > block->len_bytes)
            continue;
        if (memctx_vmcoreinfo_begins(name - 12) &&
            !clue(block->gpa + at - 12, arg))
            return;
    }
}

/* From the first page that looks like a root to the last one. */
static struct memctx_range
shaped_part(const struct memctx_block *block)
{
    struct memctx_range part = {0, 0};
    for (size_t at = 0; at + MEMCTX_PAGE_SIZE <= block->len_bytes;
         at += MEMCTX_PAGE_SIZE) {
        if (!memctx_linux_shape_is_clue(block->bytes + at, block->gpa + at))
            continue;
        if (part.size == 0)
            part.gpa = block->gpa + at;
        part.size = block->gpa + at + MEMCTX_PAGE_SIZE - part.gpa;
    }
    return part;
}

/* The name is aligned to 4, like the note. Sixteen words at a time. */
static bool
may_have_name(const struct memctx_block *block)
{
    typedef uint32_t words __attribute__((vector_size(16)));
    const uint32_t name = memctx_le32((const unsigned char *)"VMCO");
    const words wanted = {name, name, name, name};
    words hits = {0};
    for (size_t at = 0; at + 64 <= block->len_bytes; at += 64) {
        words w[4];
        memcpy(w, block->bytes + at, sizeof(w));
        hits |= (words)(w[0] == wanted) | (words)(w[1] == wanted) |
                (words)(w[2] == wanted) | (words)(w[3] == wanted);
    }
    return (hits[0] | hits[1] | hits[2] | hits[3]) != 0;
}

struct memctx_range
memctx_linux_hides(const struct memctx_block *block, bool thorough)
{
    if (thorough && may_have_name(block))
        return (struct memctx_range){block->gpa, block->len_bytes};
    return shaped_part(block);
}

static void
scan_shapes(const struct memctx_block *block, memctx_clue_fn *clue, void *arg)
{
    for (size_t at = 0; at + MEMCTX_PAGE_SIZE <= block->len_bytes;
         at += MEMCTX_PAGE_SIZE) {
        if (memctx_linux_shape_is_clue(block->bytes + at, block->gpa + at) &&
            !clue(block->gpa + at, arg))
            return;
    }
}

void
memctx_linux_scan(const struct memctx_block *block, memctx_clue_fn *clue,
                  void *arg)
{
    for (size_t at = 0; at + MEMCTX_VMCOREINFO_NOTE_HEADER <= block->len_bytes;
         at += MEMCTX_PAGE_SIZE) {
        if (memctx_vmcoreinfo_begins(block->bytes + at) &&
            !clue(block->gpa + at, arg))
            return;
    }
    if (block->thorough)
        scan_unaligned(block, clue, arg);
    if (block->guess)
        scan_shapes(block, clue, arg);
}

/* A boot, and what earlier ones left, have a trampoline each. */
#define IMAGES_MAX 4

struct follower {
    const struct memctx_rammap *map;
    memctx_clue_fn *clue;
    void *arg;
    bool going;
};

static bool
look_at(uint64_t gpa, void *arg)
{
    struct follower *f = arg;
    if (memctx_linux_note_begins(f->map, gpa))
        f->going = f->clue(gpa, f->arg);
    return f->going;
}

/* The kernel keeps pointers to both of its VMCOREINFO pages. To go after them
 * costs about as much as reading 20 MiB, however large the guest is. Where none
 * of them holds a note, the root itself is the clue: a kernel that was built
 * without one must not wait until all RAM was looked at. */
uint64_t
memctx_linux_follow(const struct memctx_rammap *map, memctx_clue_fn *clue,
                    void *arg)
{
    struct memctx_linux_image images[IMAGES_MAX];
    struct follower f = {map, clue, arg, true};
    uint64_t bytes = 0;
    size_t n = memctx_linux_find_images(map, images, IMAGES_MAX);
    n += memctx_linux_i386_find(map, images + n, IMAGES_MAX - n);
    for (size_t i = 0; i < n && f.going; i++) {
        bytes += memctx_linux_pointers(map, &images[i], look_at, &f);
        if (f.going && images[i].root_gpa != 0)
            f.going = clue(images[i].root_gpa, arg);
    }
    return bytes;
}
