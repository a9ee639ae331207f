/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which of QEMU's mappings, and which of its files, hold which memory backend.
 *
 * Files of libvirt and those on hugetlbfs have the backend's name. memfds all
 * have one name, but QEMU makes them in the order of its arguments and then of
 * hot-plugs, and their descriptors ascend in that order (measured on 5.2, 7.2
 * and 10.0), until one is closed and its number taken by a later one: the time
 * of birth counts more. Anonymous RAM has no name at all: QEMU maps it by
 * itself, just as large as the backend, and leaves an inaccessible guard page
 * behind it (util/mmap-alloc.c), which also keeps the kernel from merging it
 * with what lies above; madvise(MADV_DONTFORK) keeps it from merging below.
 * mmap() goes down from the top, so that of two of a size the first is the
 * higher one; but what was plugged into the gap that an unplugged device left
 * may be mistaken for another plugged device of its size. */
#ifndef MEMCTX_MATCH_H
#define MEMCTX_MATCH_H

#include <stdbool.h>

#include "base/error.h"
#include "qemu/layout.h"
#include "ram/procmaps.h"
#include "qemu/args.h"

/* A regular file that QEMU has open. */
struct memctx_ram_file {
    int number; /* QEMU's descriptor */
    unsigned major;
    unsigned minor;
    uint64_t inode;
    uint64_t born_ns; /* CLOCK_REALTIME; 0: not told */
    bool of_process;  /* memory that began with QEMU: nobody else can have
                         left anything in it */
    char name[256];   /* last part of its path, or "memfd:..." */
};

/* What QEMU has, from /proc: by address; the oldest file first, and of those
 * as old by number. */
struct memctx_match_input {
    const struct memctx_mapping *mappings;
    size_t n_mappings;
    const struct memctx_ram_file *files;
    size_t n_files;
};

/* That order, for qsort(3). */
int memctx_match_by_age(const void *file, const void *other);

/* Where one backend is. */
struct memctx_match {
    const struct memctx_mapping *mapping; /* its first, at offset 0 */
    const struct memctx_ram_file *file;   /* NULL: no file */
};

/* Fill ret[i] for each of the layout's backends. 0, or -1 with RETRY: QEMU has
 * no mapping for one of them; the message names it. ret is undefined on
 * failure. Any thread. */
int memctx_match_backends(const struct memctx_layout *layout,
                          const struct memctx_qemuargs *args,
                          const struct memctx_match_input *holdings,
                          struct memctx_match *ret, struct memctx_error *err);

#endif
