/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* By two symbols, or by the header. */
#include "explain/btfread.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/image.h"

#define HEADER 24u

/* No kernel has less: a header in code is no BTF. Distributions' have more than
 * ENOUGH, and nothing else in an image has. */
#define LEAST 4096u
#define ENOUGH MEMCTX_MIB

int
memctx_btf_read(const struct memctx_target *target, uint64_t start_gva,
                uint64_t stop_gva, struct memctx_btf **ret,
                struct memctx_error *err)
{
    uint64_t len = stop_gva - start_gva;
    if (stop_gva <= start_gva || len > MEMCTX_BTF_BYTES_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "BTF from gva %#" PRIx64 " to %#" PRIx64,
                                start_gva, stop_gva);
    MEMCTX_CLEANUP(memctx_cleanup_free) unsigned char *bytes = malloc(len);
    if (bytes == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (memctx_target_read(target, start_gva, bytes, len, err) < 0)
        return memctx_error_prefix(err, "BTF");
    return memctx_btf_create(memctx_steal_ptr(&bytes), len,
                             memctx_rammap_work(target->view.map), ret, err);
}

struct found {
    struct memctx_target *target;
    uint64_t gva;
    uint64_t len; /* 0: none */
};

/* pahole writes the types first and the names right behind them. */
static bool
look_at(void *arg, uint64_t gva)
{
    struct found *found = arg;
    unsigned char raw[HEADER];
    if (memctx_view_read(&found->target->view, gva, raw, sizeof(raw), NULL) < 0)
        return true;
    uint64_t header = memctx_le32(raw + 4);
    uint64_t types = memctx_le32(raw + 12);
    uint64_t names_off = memctx_le32(raw + 16);
    uint64_t len = header + names_off + memctx_le32(raw + 20);
    if (header >= HEADER && memctx_le32(raw + 8) == 0 && names_off == types &&
        len >= LEAST && len <= MEMCTX_BTF_BYTES_MAX && len > found->len) {
        found->gva = gva;
        found->len = len;
    }
    return found->len < ENOUGH;
}

int
memctx_btf_search(struct memctx_target *target, uint64_t *start_gva,
                  uint64_t *stop_gva, struct memctx_error *err)
{
    static const unsigned char magic[] = {0x9f, 0xeb, 1, 0};
    struct found found = {.target = target};
    if (memctx_image_search(target, magic, sizeof(magic), look_at, &found,
                            err) < 0)
        return -1;
    if (found.len == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "this kernel has no BTF: it was built without "
                                "CONFIG_DEBUG_INFO_BTF");
    *start_gva = found.gva;
    *stop_gva = found.gva + found.len;
    return 0;
}

int
memctx_btf_take(struct memctx_target *target,
                const struct memctx_landmarks *landmarks,
                struct memctx_btf **ret, struct memctx_error *err)
{
    uint64_t start_gva = landmarks->gva[MEMCTX_AT_START_BTF];
    uint64_t stop_gva = landmarks->gva[MEMCTX_AT_STOP_BTF];
    if ((start_gva == 0 || stop_gva == 0) &&
        memctx_btf_search(target, &start_gva, &stop_gva, err) < 0)
        return -1;
    return memctx_btf_read(target, start_gva, stop_gva, ret, err);
}
