/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Complete memory dumps of Windows, which QEMU writes, too (win-dmp): a header
 * of one or two pages names runs of pages, which follow it. Source: QEMU's
 * include/qemu/win_dump_defs.h (8.1), DUMP_HEADER32 and DUMP_HEADER64. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "dump/forms.h"

#define HEADER_MAX (2 * MEMCTX_PAGE_SIZE)
#define TYPE_FULL 1u
#define RUNS_MAX 42u /* as many as fit into the 700 bytes of either header */

struct layout {
    unsigned header_bytes;
    unsigned runs;      /* where their number is, */
    unsigned first_run; /* and the first one */
    unsigned number;    /* bytes of a number of pages */
    unsigned type;
};

static const struct layout layout_32 = {MEMCTX_PAGE_SIZE, 0x64, 0x6c, 4, 0xf88};
static const struct layout layout_64 = {2 * MEMCTX_PAGE_SIZE, 0x88, 0x98, 8,
                                        0xf98};

static uint64_t
load(const struct layout *layout, const unsigned char *at)
{
    return layout->number == 8 ? memctx_le64(at) : memctx_le32(at);
}

static int
take_runs(const struct layout *layout, const unsigned char *header,
          uint64_t file_size, struct memctx_dump_pieces *pieces,
          struct memctx_error *err)
{
    uint64_t offset = layout->header_bytes;
    uint32_t n = memctx_le32(header + layout->runs);
    if (n > RUNS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a dump of Windows with %" PRIu32
                                " runs of pages; expected at most %u",
                                n, RUNS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        const unsigned char *run =
            header + layout->first_run + (size_t)i * 2 * layout->number;
        uint64_t gpa;
        uint64_t size;
        if (!memctx_mul(load(layout, run), MEMCTX_PAGE_SIZE, &gpa) ||
            !memctx_mul(load(layout, run + layout->number), MEMCTX_PAGE_SIZE,
                        &size))
            return memctx_error_set(
                err, MEMCTX_PERMANENT,
                "a dump of Windows whose run %" PRIu32 " lies beyond 2^64", i);
        if (memctx_dump_add_piece(pieces, gpa, size, offset, file_size, err) <
            0)
            return -1;
        offset += size; /* within the file, as was checked */
    }
    return 0;
}

int
memctx_dump_read_windows(const struct memctx_rammap *file,
                         struct memctx_dump_pieces *pieces,
                         struct memctx_error *err)
{
    unsigned char header[HEADER_MAX];
    if (memctx_rammap_read(file, 0, header, sizeof(header), err) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "truncated: a dump of Windows without its "
                                "header of %" PRIu64 " bytes",
                                (uint64_t)sizeof(header));
    const struct layout *layout =
        memcmp(header + 4, "DU64", 4) == 0 ? &layout_64 : &layout_32;
    uint32_t type = memctx_le32(header + layout->type);
    if (type != TYPE_FULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a dump of Windows of type %" PRIu32
                                ", which leaves memory out; expected a "
                                "complete memory dump (type %u)",
                                type, TYPE_FULL);
    return take_runs(layout, header, memctx_rammap_size(file), pieces, err);
}
