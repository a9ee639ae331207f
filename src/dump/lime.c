/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* LiME: a header before each range of memory, one behind the other. Source: its
 * doc/README.md, "lime" format, version 1. */
#include <inttypes.h>

#include "base/bytes.h"
#include "dump/forms.h"

#define LIME_MAGIC 0x4c694d45u
#define LIME_VERSION 1u
#define HEADER_BYTES 32u /* magic, version, first, last byte, reserved */

static int
take_range(const struct memctx_rammap *file, uint64_t *at,
           struct memctx_dump_pieces *pieces, struct memctx_error *err)
{
    unsigned char header[HEADER_BYTES];
    if (memctx_rammap_read(file, *at, header, sizeof(header), err) < 0)
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "truncated: the header at %#" PRIx64 " is not whole", *at);
    uint64_t first = memctx_le64(header + 8);
    uint64_t last = memctx_le64(header + 16);
    if (memctx_le32(header) != LIME_MAGIC ||
        memctx_le32(header + 4) != LIME_VERSION || last < first ||
        last == UINT64_MAX)
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "no header of LiME at %#" PRIx64 ": mark %#" PRIx32
            ", version %" PRIu32 ", memory from %#" PRIx64 " to %#" PRIx64,
            *at, memctx_le32(header), memctx_le32(header + 4), first, last);
    uint64_t size = last - first + 1;
    if (memctx_dump_add_piece(pieces, first, size, *at + HEADER_BYTES,
                              memctx_rammap_size(file), err) < 0)
        return -1;
    *at += HEADER_BYTES + size; /* within the file, as was checked */
    return 0;
}

int
memctx_dump_read_lime(const struct memctx_rammap *file,
                      struct memctx_dump_pieces *pieces,
                      struct memctx_error *err)
{
    /* Each turn takes a piece, of which there are so many at most, or fails. */
    for (uint64_t at = 0; at < memctx_rammap_size(file);) {
        if (take_range(file, &at, pieces, err) < 0)
            return -1;
    }
    return 0;
}
