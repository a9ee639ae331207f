/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads by pread(), finds data by SEEK_DATA. */
#include "ram/file.h"

#include <errno.h>
#include <unistd.h>

#include "base/bytes.h"

#define RUN_STEP (64 * MEMCTX_KIB)
#define RUN_MAX MEMCTX_MIB

static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    return pread(source->fd, buf, len_bytes, (off_t)offset);
}

/* Do data go on behind `data` up to the limit, or for RUN_MAX? Looks in steps
 * that cost next to nothing. 1 and *end, or 0: a hole is not far. */
static int
find_long_run(int fd, uint64_t data, uint64_t limit, uint64_t *end)
{
    uint64_t at = data + (RUN_STEP - data % RUN_STEP);
    while (at < limit && at - data < RUN_MAX) {
        if (lseek(fd, (off_t)at, SEEK_DATA) != (off_t)at)
            return 0;
        at += RUN_STEP;
    }
    *end = memctx_min(at, limit);
    /* Page by page where the limit cuts the last step. */
    uint64_t page = memctx_max(data, at - RUN_STEP) + MEMCTX_PAGE_SIZE;
    for (; at >= limit && page < limit; page += MEMCTX_PAGE_SIZE) {
        page -= page % MEMCTX_PAGE_SIZE;
        if (lseek(fd, (off_t)page, SEEK_DATA) != (off_t)page)
            return 0;
    }
    return 1;
}

/* SEEK_HOLE walks to the end of the data, 10 ms for each GiB, of which a caller
 * may want only the beginning. So long runs are given out in pieces, and may
 * then have small holes in them. */
static int
next_data(const struct memctx_source *source, uint64_t offset, uint64_t limit,
          uint64_t *start, uint64_t *end)
{
    int fd = source->fd;
    off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? 0 : -1;
    if ((uint64_t)data >= limit)
        return 0;
    if (find_long_run(fd, (uint64_t)data, limit, end)) {
        *start = (uint64_t)data;
        return 1;
    }
    off_t hole = lseek(fd, data, SEEK_HOLE);
    if (hole < 0)
        return -1;
    /* A backing that is punched between the two calls may answer a hole that
     * is not behind its data; one page keeps every caller moving. */
    uint64_t stop = memctx_max((uint64_t)hole, (uint64_t)data + 1);
    *start = (uint64_t)data;
    *end = memctx_min(stop, limit);
    return 1;
}

const struct memctx_backend_io memctx_file_io = {
    .read_at = read_at,
    .next_data = next_data,
};
