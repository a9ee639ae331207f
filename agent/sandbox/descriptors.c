/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lists descriptors of RAM maps and closes others; reads none. */
#include "sandbox/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"

#ifndef SYS_close_range
#define SYS_close_range 436 /* on all architectures */
#endif

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

#define STANDARD_FDS 3
#define SOURCE_FDS 3     /* of one source at most */
#define SOURCE_WINDOWS 2 /* the same */
#define PAGEMAP_ENTRY 8u /* bytes, for a page (proc(5)) */

void
descriptors_deinit(struct descriptors *descriptors)
{
    free(descriptors->kept);
    free(descriptors->windows);
    *descriptors = (struct descriptors){.kept = NULL};
}

static size_t
count_sources(const struct sandbox *sandbox)
{
    size_t n = 0;
    for (unsigned i = 0; i < SANDBOX_MAPS; i++) {
        if (sandbox->maps[i] != NULL)
            n += memctx_rammap_backends(sandbox->maps[i]);
    }
    return n;
}

static int
allocate(const struct sandbox *sandbox, struct descriptors *ret,
         struct memctx_error *err)
{
    size_t n = count_sources(sandbox);
    ret->kept = calloc(STANDARD_FDS + sandbox->n_fds + n * SOURCE_FDS,
                       sizeof(ret->kept[0]));
    ret->windows = calloc(n * SOURCE_WINDOWS + 1, sizeof(ret->windows[0]));
    if (ret->kept == NULL || ret->windows == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return 0;
}

static int
keep(struct descriptors *d, int fd, struct memctx_error *err)
{
    if (fcntl(fd, F_GETFD) < 0)
        return memctx_error_set(err, MEMCTX_BUG,
                                "descriptor %d is to be kept and not open", fd);
    d->kept[d->n_kept++] = fd;
    return 0;
}

/* A file of /proc can be any process' memory, this one's included. */
static int
keep_whole(struct descriptors *d, int fd, struct memctx_error *err)
{
    struct statfs fs;
    if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
        return memctx_error_set(err, MEMCTX_BUG,
                                "descriptor %d is a file of /proc, of which "
                                "all could be read",
                                fd);
    return fd < 0 ? 0 : keep(d, fd, err);
}

static int
keep_window(struct descriptors *d, int fd, uint64_t start, uint64_t size,
            struct memctx_error *err)
{
    d->windows[d->n_windows++] = (struct window){fd, start, size};
    return keep(d, fd, err);
}

/* Its start is a multiple of the page size (procmem.h). */
static int
keep_source(struct descriptors *d, const struct memctx_source *source,
            uint64_t size, struct memctx_error *err)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t pages = size / page + (size % page != 0);
    if (source->pagemap_fd < 0)
        return keep_whole(d, source->fd, err);
    if (keep_window(d, source->fd, source->start, size, err) < 0 ||
        keep_window(d, source->pagemap_fd, source->start / page * PAGEMAP_ENTRY,
                    pages * PAGEMAP_ENTRY, err) < 0)
        return -1;
    return keep_whole(d, source->file_fd, err);
}

static int
keep_map(struct descriptors *d, const struct memctx_rammap *map,
         struct memctx_error *err)
{
    for (unsigned i = 0; i < memctx_rammap_backends(map); i++) {
        if (keep_source(d, memctx_rammap_source(map, i),
                        memctx_rammap_backend_size(map, i), err) < 0)
            return -1;
    }
    return 0;
}

static int
keep_standard(struct descriptors *d, struct memctx_error *err)
{
    for (int fd = 0; fd < STANDARD_FDS; fd++) {
        /* The lowest number that is free, which is this one. */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return memctx_error_set(
                err, MEMCTX_BUG, "cannot open /dev/null: %s", strerror(errno));
        if (keep(d, fd, err) < 0)
            return -1;
    }
    return 0;
}

static int
compare(const void *a, const void *b)
{
    int v = *(const int *)a;
    int w = *(const int *)b;
    return v < w ? -1 : v > w;
}

/* In order, each once. */
static void
sort(struct descriptors *d)
{
    size_t n = 0;
    qsort(d->kept, d->n_kept, sizeof(d->kept[0]), compare);
    for (size_t i = 0; i < d->n_kept; i++) {
        if (n == 0 || d->kept[n - 1] != d->kept[i])
            d->kept[n++] = d->kept[i];
    }
    d->n_kept = n;
}

int
descriptors_list(const struct sandbox *sandbox, struct descriptors *ret,
                 struct memctx_error *err)
{
    MEMCTX_CLEANUP(descriptors_deinit)
    struct descriptors d = {.kept = NULL};
    if (allocate(sandbox, &d, err) < 0 || keep_standard(&d, err) < 0)
        return -1;
    for (size_t i = 0; i < sandbox->n_fds; i++) {
        if (keep_whole(&d, sandbox->fds[i].fd, err) < 0)
            return -1;
    }
    for (unsigned i = 0; i < SANDBOX_MAPS; i++) {
        if (sandbox->maps[i] != NULL && keep_map(&d, sandbox->maps[i], err) < 0)
            return -1;
    }
    sort(&d);
    if (window_sort(d.windows, &d.n_windows, err) < 0)
        return -1;
    *ret = d;
    d = (struct descriptors){.kept = NULL};
    return 0;
}

static bool
is_kept(const struct descriptors *d, int fd)
{
    return bsearch(&fd, d->kept, d->n_kept, sizeof(fd), compare) != NULL;
}

/* Where a container's filter refuses unshare(2) whatever is to be unshared
 * (Docker's does), the other call does the same; here it closes nothing. */
int
descriptors_unshare(struct memctx_error *err)
{
    if (unshare(CLONE_FILES) == 0 ||
        syscall(SYS_close_range, UINT_MAX, UINT_MAX, CLOSE_RANGE_UNSHARE) == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_BUG,
                            "a thread cannot have descriptors of its own: %s",
                            strerror(errno));
}

/* What lies between two descriptors that are kept. */
static int
close_gaps(const struct descriptors *d)
{
    unsigned first = 0;
    for (size_t i = 0; i <= d->n_kept; i++) {
        unsigned next = i < d->n_kept ? (unsigned)d->kept[i] : UINT_MAX;
        if (first < next && syscall(SYS_close_range, first, next - 1, 0) < 0)
            return -1;
        first = next + 1;
    }
    return 0;
}

/* The same, where the kernel lacks the call. */
static int
close_listed(const struct descriptors *d)
{
    MEMCTX_CLEANUP(memctx_cleanup_dir)
    DIR *dir = opendir("/proc/thread-self/fd");
    struct dirent *entry;
    if (dir == NULL)
        return -1;
    while ((entry = readdir(dir)) != NULL) {
        uint64_t fd;
        if (memctx_number_parse_decimal(entry->d_name, INT_MAX, &fd) &&
            (int)fd != dirfd(dir) && !is_kept(d, (int)fd))
            close((int)fd);
    }
    return 0;
}

int
descriptors_close_others(const struct descriptors *descriptors,
                         struct memctx_error *err)
{
    if (close_gaps(descriptors) < 0 && close_listed(descriptors) < 0)
        return memctx_error_set(err, MEMCTX_BUG,
                                "descriptors cannot be closed: %s",
                                strerror(errno));
    return 0;
}
