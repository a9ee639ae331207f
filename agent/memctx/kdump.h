/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Dumps in which pages are compressed (kdump, of makedumpfile or QEMU), by
 * libkdumpfile. It is loaded when such a file is there, since with what it
 * needs it takes as long to load as memctx itself. */
#ifndef MEMCTX_KDUMP_H
#define MEMCTX_KDUMP_H

#include "base/error.h"
#include "ram/rammap.h"

struct kdump;

/* Load the library. -1 with PERMANENT: it is not there, or memctx was built
 * without it. The caller destroys *ret, after all maps that read through it. */
int kdump_load(struct kdump **ret, struct memctx_error *err);
void kdump_unload(struct kdump *kdump); /* NULL is fine */
void kdump_cleanup(struct kdump **kdump);

/* Add the file fd to a map, which owns it from the call on, also when it fails.
 * No byte of it is read. -1 as memctx_rammap_add_source(). */
int kdump_add(struct kdump *kdump, int fd, struct memctx_rammap *map,
              struct memctx_error *err);

/* Parse what the file says of itself, and add the memory that it holds to
 * `map`, which was created beside the one above. To be called in a sandbox.
 * Pages that were left out read as zeros. -1 with PERMANENT: no such file,
 * broken, without memory, or with more than MEMCTX_EXTENTS_MAX pieces of it.
 * From then on one thread at a time may read. */
int kdump_lay_out(struct kdump *kdump, struct memctx_rammap *map,
                  struct memctx_error *err);

#endif
