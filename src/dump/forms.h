/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the forms of a dump have in common; for this room alone. */
#ifndef MEMCTX_DUMP_FORMS_H
#define MEMCTX_DUMP_FORMS_H

#include "base/error.h"
#include "ram/rammap.h"

/* Pieces of memory that a file names. Begins as zeros; freed by the caller. */
struct memctx_dump_pieces {
    struct memctx_extent piece[MEMCTX_EXTENTS_MAX];
    size_t n;
};

/* One more: file_offset of a file that is file_size long. Empty ones are left
 * out, and one that goes on where the last one ended becomes a part of it. -1
 * with PERMANENT: it lies beyond the file or 2^52, or there are too many. */
int memctx_dump_add_piece(struct memctx_dump_pieces *pieces, uint64_t gpa,
                          uint64_t size, uint64_t file_offset,
                          uint64_t file_size, struct memctx_error *err);

/* Fill pieces from the file; as memctx_dump_lay_out(). */
typedef int memctx_dump_read_fn(const struct memctx_rammap *file,
                                struct memctx_dump_pieces *pieces,
                                struct memctx_error *err);

memctx_dump_read_fn memctx_dump_read_elf;
memctx_dump_read_fn memctx_dump_read_lime;
memctx_dump_read_fn memctx_dump_read_windows;

#endif
