/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads a process' memory by its page map. */
#include "ram/procmem.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"

/* Bits of an entry of /proc/PID/pagemap
 * (Documentation/admin-guide/mm/pagemap.rst). */
#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)
#define ENTRIES 512u      /* read at once to copy memory */
#define ENTRIES_MAX 4096u /* read at once to find memory */

/* A run of data is given out in pieces, as of files. */
#define RUN_MAX MEMCTX_MIB

/* The ioctl of Linux 6.7 that passes over holes of any size at once; the same
 * document. Older headers lack it. */
struct region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

struct scan {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t regions;
    uint64_t n_regions;
    uint64_t max_pages;
    uint64_t inverted;
    uint64_t all_of;
    uint64_t any_of;
    uint64_t returned;
};

#define SCAN _IOWR('f', 16, struct scan)
#define IS_PRESENT (UINT64_C(1) << 3)
#define IS_SWAPPED (UINT64_C(1) << 4)
#define IS_ZERO_PAGE (UINT64_C(1) << 5)

static uint64_t
page_size(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Entries of `n` pages from the page at `address` on: their number, 0 when the
 * process has ended, -1 with errno. */
static ssize_t
read_entries(const struct memctx_source *source, uint64_t address,
             uint64_t *entries, size_t n)
{
    ssize_t got = pread(source->pagemap_fd, entries, n * sizeof(entries[0]),
                        (off_t)(address / page_size() * sizeof(entries[0])));
    return got < 0 ? -1 : got / (ssize_t)sizeof(entries[0]);
}

static bool
is_there(uint64_t entry)
{
    return (entry & (ENTRY_PRESENT | ENTRY_SWAPPED)) != 0;
}

/* The bytes of pages that the process does not have: the file's, zeros behind
 * its end. */
static ssize_t
read_absent(const struct memctx_source *source, void *buf, size_t len_bytes,
            uint64_t offset)
{
    if (source->file_fd >= 0) {
        ssize_t n = pread(source->file_fd, buf, len_bytes, (off_t)offset);
        if (n != 0)
            return n;
    }
    memset(buf, 0, len_bytes);
    return (ssize_t)len_bytes;
}

/* As many bytes as lie on pages that are all there, or all not. */
static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    uint64_t entries[ENTRIES];
    uint64_t address = source->start + offset;
    uint64_t in_page = address % page_size();
    size_t pages = (size_t)memctx_min(
        (in_page + len_bytes + page_size() - 1) / page_size(), ENTRIES);
    ssize_t known = read_entries(source, address, entries, pages);
    if (known <= 0)
        return known;
    ssize_t run = 1;
    while (run < known && is_there(entries[run]) == is_there(entries[0]))
        run++;
    size_t part =
        (size_t)memctx_min(len_bytes, (uint64_t)run * page_size() - in_page);
    if (!is_there(entries[0]))
        return read_absent(source, buf, part, offset);
    return pread(source->fd, buf, part, (off_t)address);
}

/* The next run of pages in [*from, to) by the ioctl: 1, 0 or -1. */
static int
scan_pages(const struct memctx_source *source, uint64_t from, uint64_t to,
           uint64_t *start, uint64_t *end)
{
    struct region region = {.start = 0};
    struct scan scan = {
        .size = sizeof(scan),
        .start = from,
        .end = to,
        .regions = (uint64_t)(uintptr_t)&region,
        .n_regions = 1,
        .max_pages = RUN_MAX / page_size(),
        .inverted = IS_ZERO_PAGE,
        .all_of = IS_ZERO_PAGE,
        .any_of = IS_PRESENT | IS_SWAPPED,
        .returned = IS_PRESENT | IS_SWAPPED,
    };
    int n = ioctl(source->pagemap_fd, SCAN, &scan);
    if (n <= 0)
        return n;
    *start = region.start;
    *end = region.end;
    return 1;
}

/* The same from the page map itself: first as many entries as a run can have,
 * which are enough where data are dense, and more at a time in holes. Bounded:
 * each turn passes entries. */
static int
look_at_pages(const struct memctx_source *source, uint64_t from, uint64_t to,
              uint64_t *start, uint64_t *end)
{
    uint64_t entries[ENTRIES_MAX];
    uint64_t batch = RUN_MAX / page_size();
    bool found = false;
    while (from < to && (!found || *end - *start < RUN_MAX)) {
        size_t pages = (size_t)memctx_min((to - from) / page_size(), batch);
        batch = memctx_min(batch * 2, ENTRIES_MAX);
        ssize_t known = read_entries(source, from, entries, pages);
        if (known < 0)
            return -1;
        if (known == 0)
            break;
        for (ssize_t i = 0; i < known; i++, from += page_size()) {
            if (!is_there(entries[i]) && found)
                return 1;
            if (!is_there(entries[i]))
                continue;
            *start = found ? *start : from;
            *end = from + page_size();
            found = true;
        }
    }
    return found;
}

/* Also what is in the file below a private mapping: pages that were not
 * written to. */
static int
with_file(const struct memctx_source *source, uint64_t offset, uint64_t limit,
          int found, uint64_t *start, uint64_t *end)
{
    off_t data = lseek(source->file_fd, (off_t)offset, SEEK_DATA);
    if (data < 0 || (uint64_t)data >= limit ||
        (found == 1 && *start <= (uint64_t)data))
        return found;
    off_t hole = lseek(source->file_fd, data, SEEK_HOLE);
    uint64_t stop =
        memctx_max(hole < 0 ? 0 : (uint64_t)hole, (uint64_t)data + 1);
    stop = memctx_min(stop, (uint64_t)data + RUN_MAX);
    *start = (uint64_t)data;
    *end = memctx_min(stop, limit);
    return 1;
}

typedef int find_fn(const struct memctx_source *source, uint64_t from,
                    uint64_t to, uint64_t *start, uint64_t *end);

static int
scan_or_look(const struct memctx_source *source, uint64_t from, uint64_t to,
             uint64_t *start, uint64_t *end)
{
    int found = scan_pages(source, from, to, start, end);
    return found < 0 && errno != ESRCH
               ? look_at_pages(source, from, to, start, end)
               : found;
}

static int
next_data_by(find_fn *find, const struct memctx_source *source, uint64_t offset,
             uint64_t limit, uint64_t *start, uint64_t *end)
{
    uint64_t page = page_size();
    uint64_t from = source->start + offset;
    uint64_t to = source->start + limit + (page - limit % page) % page;
    uint64_t first;
    uint64_t last;
    from -= from % page;
    int found = find(source, from, to, &first, &last);
    if (found < 0)
        return -1;
    if (found == 1) {
        *start = memctx_max(first, source->start + offset) - source->start;
        *end = memctx_min(last - source->start, limit);
    }
    return source->file_fd >= 0
               ? with_file(source, offset, limit, found, start, end)
               : found;
}

static int
next_data(const struct memctx_source *source, uint64_t offset, uint64_t limit,
          uint64_t *start, uint64_t *end)
{
    return next_data_by(scan_or_look, source, offset, limit, start, end);
}

static int
next_data_by_pread(const struct memctx_source *source, uint64_t offset,
                   uint64_t limit, uint64_t *start, uint64_t *end)
{
    return next_data_by(look_at_pages, source, offset, limit, start, end);
}

const struct memctx_backend_io memctx_procmem_io = {
    .read_at = read_at,
    .next_data = next_data,
};

const struct memctx_backend_io memctx_procmem_pread_io = {
    .read_at = read_at,
    .next_data = next_data_by_pread,
};
