/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where guest memory is on the host, and how it is read there. */
#ifndef MEMCTX_RAM_SOURCE_H
#define MEMCTX_RAM_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where the bytes of one backend are. */
struct memctx_source {
    int fd;         /* read-only: a file, or /proc/PID/mem */
    int pagemap_fd; /* of a process: /proc/PID/pagemap; else -1 */
    int file_fd;    /* of a process: the file that pages not yet written to are
                       read from (private mapping); else -1 */
    uint64_t start; /* of a process: virtual address of the first byte */
    void *arg;      /* what else its io needs; not the map's */
};

/* How a backend is read; the default is pread() and lseek() on a file. That of
 * a process' memory is in procmem.h; tests put faults here. Both may be called
 * from several threads at once. */
struct memctx_backend_io {
    /* As pread(2): bytes read, 0 at the end, -1 with errno. */
    ssize_t (*read_at)(const struct memctx_source *source, void *buf,
                       size_t len_bytes, uint64_t offset);
    /* First run of bytes that may be non-zero in [offset, limit): 1 and
     * [*start, *end), 0 for none, -1 with errno. A backend that cannot tell
     * holes answers [offset, limit). */
    int (*next_data)(const struct memctx_source *source, uint64_t offset,
                     uint64_t limit, uint64_t *start, uint64_t *end);
};

#endif
