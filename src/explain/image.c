/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through the image in chunks that overlap. */
#include "explain/image.h"

#include <string.h>

#define CHUNK (64 * MEMCTX_KIB)
#define WANTED_MAX 64u

struct search {
    const struct memctx_target *target;
    const void *wanted;
    size_t wanted_len;
    memctx_image_fn *hit;
    void *arg;
};

/* What cannot be read is zeros. */
static void
read_chunk(const struct memctx_target *target, uint64_t gva,
           unsigned char *bytes, size_t len)
{
    if (memctx_target_read(target, gva, bytes, len, NULL) == 0)
        return;
    for (size_t at = 0; at < len; at += MEMCTX_PAGE_SIZE) {
        size_t part = (size_t)memctx_min(MEMCTX_PAGE_SIZE, len - at);
        if (memctx_target_read(target, gva + at, bytes + at, part, NULL) < 0)
            memset(bytes + at, 0, part);
    }
}

/* Report what begins in the chunk. False: it is enough. memchr() first: it
 * takes a quarter of the time that memmem() takes for so few bytes. */
static bool
report(const struct search *s, uint64_t gva, const unsigned char *bytes,
       size_t len)
{
    const unsigned char *wanted = s->wanted;
    const unsigned char *end = bytes + len - (s->wanted_len - 1);
    const unsigned char *at;
    /* Bounded: each turn begins behind what the one before found. */
    for (const unsigned char *from = bytes; from < end; from = at + 1) {
        at = memchr(from, wanted[0], (size_t)(end - from));
        if (at == NULL)
            break;
        if (memcmp(at, wanted, s->wanted_len) == 0 &&
            (!memctx_work_look(memctx_rammap_work(s->target->view.map)) ||
             !s->hit(s->arg, gva + (uint64_t)(at - bytes))))
            return false;
    }
    return true;
}

int
memctx_image_search(const struct memctx_target *target, const void *bytes,
                    size_t len_bytes, memctx_image_fn *hit, void *arg,
                    struct memctx_error *err)
{
    static const unsigned char nothing[WANTED_MAX];
    unsigned char chunk[WANTED_MAX + CHUNK];
    const struct search s = {target, bytes, len_bytes, hit, arg};
    const struct memctx_kernel *kernel = target->kernel;
    uint64_t size = kernel->size_bytes == 0
                        ? MEMCTX_IMAGE_LIKELY
                        : memctx_min(kernel->size_bytes, MEMCTX_IMAGE_MAX);
    size = memctx_min(size, UINT64_MAX - kernel->base_gva);
    size_t kept = len_bytes - 1; /* of the chunk before */
    memcpy(chunk, nothing, kept);
    for (uint64_t done = 0; done < size; done += CHUNK) {
        uint64_t gva = kernel->base_gva + done;
        size_t len = (size_t)memctx_min(CHUNK, size - done);
        read_chunk(target, gva, chunk + kept, len);
        if (!report(&s, gva - kept, chunk, kept + len))
            break;
        memmove(chunk, chunk + len, kept);
    }
    struct memctx_work *work = memctx_rammap_work(target->view.map);
    return memctx_work_is_over(work)
               ? memctx_work_fail("gva", kernel->base_gva, err)
               : 0;
}
