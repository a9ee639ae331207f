/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Translates guest-physical ranges to backings and reads them by pread(). */
#include "ram/rammap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "ram/file.h"

struct backend {
    char name[MEMCTX_BACKEND_NAME_MAX];
    struct memctx_source source;
    uint64_t size;
    const struct memctx_backend_io *io;
};

struct memctx_rammap {
    atomic_uint references;
    struct backend backends[MEMCTX_BACKENDS_MAX];
    unsigned n_backends;
    struct memctx_extent extents[MEMCTX_EXTENTS_MAX]; /* by gpa */
    size_t n_extents;
};

#define NO_SOURCE ((struct memctx_source){-1, -1, -1, 0, NULL})

static void
source_close(struct memctx_source *source)
{
    memctx_close_fd(&source->fd);
    memctx_close_fd(&source->pagemap_fd);
    memctx_close_fd(&source->file_fd);
}

int
memctx_rammap_create(struct memctx_rammap **ret, struct memctx_error *err)
{
    struct memctx_rammap *map = calloc(1, sizeof(*map));
    if (map == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    atomic_init(&map->references, 1);
    *ret = map;
    return 0;
}

struct memctx_rammap *
memctx_rammap_share(struct memctx_rammap *map)
{
    if (map != NULL)
        atomic_fetch_add(&map->references, 1);
    return map;
}

void
memctx_rammap_destroy(struct memctx_rammap *map)
{
    if (map == NULL || atomic_fetch_sub(&map->references, 1) > 1)
        return;
    for (unsigned i = 0; i < map->n_backends; i++)
        source_close(&map->backends[i].source);
    free(map);
}

/* -1 for -1; else a duplicate. False: there is none to be had. */
static bool
copy_fd(int fd, int *ret)
{
    *ret = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 || *ret >= 0;
}

int
memctx_rammap_copy_backends(const struct memctx_rammap *map,
                            struct memctx_rammap **ret,
                            struct memctx_error *err)
{
    struct memctx_rammap *copy;
    if (memctx_rammap_create(&copy, err) < 0)
        return -1;
    for (unsigned i = 0; i < map->n_backends; i++) {
        const struct memctx_source *from = &map->backends[i].source;
        struct memctx_source *to = &copy->backends[i].source;
        copy->backends[i] = map->backends[i];
        *to = NO_SOURCE;
        to->start = from->start;
        copy->n_backends++;
        if (!copy_fd(from->fd, &to->fd) ||
            !copy_fd(from->pagemap_fd, &to->pagemap_fd) ||
            !copy_fd(from->file_fd, &to->file_fd)) {
            int saved = errno;
            memctx_rammap_destroy(copy);
            return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                    "cannot duplicate a RAM descriptor: %s",
                                    strerror(saved));
        }
    }
    *ret = copy;
    return 0;
}

static int
check_backing(int fd, uint64_t *size, struct memctx_error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot look at the RAM descriptor: %s",
                                strerror(errno));
    if (!S_ISREG(st.st_mode))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guest RAM must be a file or memfd, found %s",
                                S_ISDIR(st.st_mode) ? "a directory"
                                                    : "something else");
    if (st.st_size <= 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guest RAM backing is empty (0 bytes)");
    int flags = fcntl(fd, F_GETFL);
    /* O_PATH leaves the access mode 0, which is O_RDONLY. */
    if (flags < 0 || (flags & O_ACCMODE) != O_RDONLY || (flags & O_PATH) != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "RAM descriptor is not opened read-only");
    *size = (uint64_t)st.st_size;
    return 0;
}

int
memctx_rammap_add_source(struct memctx_rammap *map, const char *name,
                         const struct memctx_source *source, uint64_t size,
                         const struct memctx_backend_io *io, unsigned *ret,
                         struct memctx_error *err)
{
    MEMCTX_CLEANUP(source_close) struct memctx_source owned = *source;
    if (map->n_backends == MEMCTX_BACKENDS_MAX)
        return memctx_error_set(err, MEMCTX_BUG, "more than %d RAM backends",
                                MEMCTX_BACKENDS_MAX);
    if (size == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guest RAM backing is empty (0 bytes)");
    struct backend *backend = &map->backends[map->n_backends];
    snprintf(backend->name, sizeof(backend->name), "%s", name);
    backend->source = owned;
    owned = NO_SOURCE;
    backend->size = size;
    backend->io = io;
    *ret = map->n_backends++;
    return 0;
}

int
memctx_rammap_add_backend(struct memctx_rammap *map, const char *name, int fd,
                          const struct memctx_backend_io *io, unsigned *ret,
                          struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    uint64_t size;
    if (check_backing(fd, &size, err) < 0)
        return -1;
    struct memctx_source source = NO_SOURCE;
    source.fd = memctx_steal_fd(&owned);
    return memctx_rammap_add_source(
        map, name, &source, size, io != NULL ? io : &memctx_file_io, ret, err);
}

/* Index of the first extent that ends above gpa; n_extents if none does. */
static size_t
find_extent(const struct memctx_rammap *map, uint64_t gpa)
{
    size_t first = 0;
    size_t last = map->n_extents;
    while (first < last) {
        size_t middle = first + (last - first) / 2;
        const struct memctx_extent *e = &map->extents[middle];
        if (e->gpa + (e->size - 1) < gpa)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}

static int
check_extent(const struct memctx_rammap *map, const struct memctx_extent *e,
             size_t place, struct memctx_error *err)
{
    uint64_t end;
    if (map->n_extents == MEMCTX_EXTENTS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "more than %d RAM extents", MEMCTX_EXTENTS_MAX);
    if (e->size == 0 || !memctx_add(e->gpa, e->size, &end))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "extent at gpa %#" PRIx64 " has size %#" PRIx64
                                ": empty or beyond 2^64",
                                e->gpa, e->size);
    if (e->backend >= map->n_backends ||
        !memctx_range_in(e->offset, e->size, 0, map->backends[e->backend].size))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "extent at gpa %#" PRIx64
                                " wants offset %#" PRIx64 " size %#" PRIx64
                                ", but its backing has %#" PRIx64 " bytes",
                                e->gpa, e->offset, e->size,
                                memctx_rammap_backend_size(map, e->backend));
    if (place < map->n_extents && map->extents[place].gpa < end)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "extents overlap at gpa %#" PRIx64,
                                memctx_max(e->gpa, map->extents[place].gpa));
    return 0;
}

int
memctx_rammap_add_extent(struct memctx_rammap *map,
                         const struct memctx_extent *extent,
                         struct memctx_error *err)
{
    size_t place = find_extent(map, extent->gpa);
    if (check_extent(map, extent, place, err) < 0)
        return -1;
    memmove(&map->extents[place + 1], &map->extents[place],
            (map->n_extents - place) * sizeof(map->extents[0]));
    map->extents[place] = *extent;
    map->n_extents++;
    return 0;
}

static int
read_backend(const struct backend *backend, uint64_t offset, unsigned char *buf,
             size_t len_bytes, struct memctx_error *err)
{
    /* Bounded: each turn reads at least one byte, or leaves. */
    for (size_t done = 0; done < len_bytes;) {
        ssize_t n = backend->io->read_at(&backend->source, buf + done,
                                         len_bytes - done, offset + done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return memctx_error_set(
                err, MEMCTX_RETRY,
                "reading %s at offset %#" PRIx64 " failed: %s", backend->name,
                offset + done, strerror(errno));
        if (n == 0)
            return memctx_error_set(
                err, MEMCTX_GONE,
                "%s was truncated, or its process ended: "
                "expected %#" PRIx64 " bytes, it ends before offset %#" PRIx64,
                backend->name, backend->size, offset + done + 1);
        done += (size_t)n;
    }
    return 0;
}

int
memctx_rammap_read(const struct memctx_rammap *map, uint64_t gpa, void *buf,
                   size_t len_bytes, struct memctx_error *err)
{
    unsigned char *to = buf;
    for (size_t i = find_extent(map, gpa); len_bytes > 0; i++) {
        if (i == map->n_extents || gpa < map->extents[i].gpa)
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "gpa %#" PRIx64 " is not RAM", gpa);
        const struct memctx_extent *e = &map->extents[i];
        uint64_t skip = gpa - e->gpa;
        size_t part = (size_t)memctx_min(len_bytes, e->size - skip);
        if (read_backend(&map->backends[e->backend], e->offset + skip, to, part,
                         err) < 0)
            return memctx_error_prefix(err, "gpa %#" PRIx64, gpa);
        to += part;
        gpa += part;
        len_bytes -= part;
    }
    return 0;
}

int
memctx_rammap_contains(const struct memctx_rammap *map, uint64_t gpa,
                       uint64_t size)
{
    for (size_t i = find_extent(map, gpa); size > 0; i++) {
        if (i == map->n_extents || gpa < map->extents[i].gpa)
            return 0;
        const struct memctx_extent *e = &map->extents[i];
        uint64_t part = memctx_min(size, e->size - (gpa - e->gpa));
        gpa += part;
        size -= part;
    }
    return 1;
}

uint64_t
memctx_rammap_translate(const struct memctx_rammap *from, uint64_t gpa,
                        const struct memctx_rammap *to)
{
    size_t at = find_extent(from, gpa);
    if (at == from->n_extents || gpa < from->extents[at].gpa)
        return gpa;
    unsigned backend = from->extents[at].backend;
    uint64_t offset = from->extents[at].offset + (gpa - from->extents[at].gpa);
    for (size_t i = 0; i < to->n_extents; i++) {
        const struct memctx_extent *e = &to->extents[i];
        if (e->backend == backend &&
            memctx_range_in(offset, 1, e->offset, e->size))
            return e->gpa + (offset - e->offset);
    }
    return gpa;
}

/* next_data within one extent, in GPAs. */
static bool
next_data_in(const struct memctx_rammap *map, const struct memctx_extent *e,
             uint64_t gpa, uint64_t limit_gpa, uint64_t *start, uint64_t *end)
{
    uint64_t from = e->offset + (memctx_max(gpa, e->gpa) - e->gpa);
    uint64_t to = e->offset + memctx_min(limit_gpa - e->gpa, e->size);
    if (from >= to)
        return false;
    const struct backend *backend = &map->backends[e->backend];
    int found = backend->io->next_data(&backend->source, from, to, start, end);
    if (found == 0)
        return false;
    if (found < 0) {
        *start = from;
        *end = to;
    }
    *start = *start - e->offset + e->gpa;
    *end = *end - e->offset + e->gpa;
    return true;
}

int
memctx_rammap_next_data(const struct memctx_rammap *map, uint64_t gpa,
                        uint64_t limit_gpa, uint64_t *start_gpa,
                        uint64_t *end_gpa)
{
    for (size_t i = find_extent(map, gpa); i < map->n_extents; i++) {
        const struct memctx_extent *e = &map->extents[i];
        if (e->gpa >= limit_gpa)
            return 0;
        if (next_data_in(map, e, gpa, limit_gpa, start_gpa, end_gpa))
            return 1;
    }
    return 0;
}

int
memctx_rammap_check(const struct memctx_rammap *map, struct memctx_error *err)
{
    for (unsigned i = 0; i < map->n_backends; i++) {
        unsigned char last;
        const struct backend *backend = &map->backends[i];
        if (read_backend(backend, backend->size - 1, &last, 1, err) < 0)
            return -1;
    }
    return 0;
}

const struct memctx_extent *
memctx_rammap_extents(const struct memctx_rammap *map, size_t *count)
{
    *count = map->n_extents;
    return map->extents;
}

const char *
memctx_rammap_backend_name(const struct memctx_rammap *map, unsigned index)
{
    return index < map->n_backends ? map->backends[index].name : "";
}

uint64_t
memctx_rammap_backend_size(const struct memctx_rammap *map, unsigned index)
{
    return index < map->n_backends ? map->backends[index].size : 0;
}

unsigned
memctx_rammap_backends(const struct memctx_rammap *map)
{
    return map->n_backends;
}

const struct memctx_source *
memctx_rammap_source(const struct memctx_rammap *map, unsigned index)
{
    return index < map->n_backends ? &map->backends[index].source : NULL;
}

uint64_t
memctx_rammap_size(const struct memctx_rammap *map)
{
    uint64_t size = 0;
    for (size_t i = 0; i < map->n_extents; i++)
        size += map->extents[i].size;
    return size;
}

uint64_t
memctx_rammap_end(const struct memctx_rammap *map)
{
    if (map->n_extents == 0)
        return 0;
    const struct memctx_extent *last = &map->extents[map->n_extents - 1];
    return last->gpa + last->size;
}
