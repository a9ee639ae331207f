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

/* The backends of one guest, which maps of different layouts share: each has
 * its descriptors once. */
struct backends {
    atomic_uint maps;
    unsigned n;
    struct backend *array; /* grows */
};

/* A ready domain keeps one of these, so both arrays are as long as they need to
 * be: a common guest has one backend and two extents. */
struct memctx_rammap {
    atomic_uint references;
    struct backends *backends;
    struct memctx_extent *extents; /* by gpa; grows */
    size_t n_extents;
    struct memctx_work *work; /* NULL: reading costs nothing */
    bool doubted;
};

/* To step over so much that is no data takes about as long as to read a page,
 * where a page map has to be gone through for it. */
#define HOLE_A_STEP (32 * MEMCTX_MIB)

static bool
has_fd(const struct memctx_source *source, int fd)
{
    return source->fd == fd || source->pagemap_fd == fd ||
           source->file_fd == fd;
}

/* Backends of one process share the descriptors of its memory. */
static void
close_unless_held(const struct backends *backends, int fd)
{
    for (unsigned i = 0; i < backends->n; i++) {
        if (has_fd(&backends->array[i].source, fd))
            return;
    }
    memctx_close_fd(&fd);
}

static void
source_close(const struct backends *backends, struct memctx_source source)
{
    close_unless_held(backends, source.fd);
    if (source.pagemap_fd != source.fd)
        close_unless_held(backends, source.pagemap_fd);
    if (source.file_fd != source.fd && source.file_fd != source.pagemap_fd)
        close_unless_held(backends, source.file_fd);
}

static struct backends *
backends_create(void)
{
    struct backends *backends = calloc(1, sizeof(*backends));
    if (backends != NULL)
        atomic_init(&backends->maps, 1);
    return backends;
}

static void
backends_drop(struct backends *backends)
{
    if (atomic_fetch_sub(&backends->maps, 1) > 1)
        return;
    while (backends->n > 0) {
        backends->n--;
        source_close(backends, backends->array[backends->n].source);
    }
    free(backends->array);
    free(backends);
}

/* Takes over a reference to the backends, also when it fails. */
static int
create(struct backends *backends, struct memctx_rammap **ret,
       struct memctx_error *err)
{
    struct memctx_rammap *map = calloc(1, sizeof(*map));
    if (map == NULL || backends == NULL) {
        free(map);
        if (backends != NULL)
            backends_drop(backends);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    atomic_init(&map->references, 1);
    map->backends = backends;
    *ret = map;
    return 0;
}

int
memctx_rammap_create(struct memctx_rammap **ret, struct memctx_error *err)
{
    return create(backends_create(), ret, err);
}

int
memctx_rammap_create_beside(const struct memctx_rammap *map,
                            struct memctx_rammap **ret,
                            struct memctx_error *err)
{
    atomic_fetch_add(&map->backends->maps, 1);
    if (create(map->backends, ret, err) < 0)
        return -1;
    (*ret)->doubted = map->doubted;
    return 0;
}

void
memctx_rammap_doubt(struct memctx_rammap *map)
{
    map->doubted = true;
}

bool
memctx_rammap_is_doubted(const struct memctx_rammap *map)
{
    return map->doubted;
}

int
memctx_rammap_create_charged(const struct memctx_rammap *map,
                             struct memctx_work *work,
                             struct memctx_rammap **ret,
                             struct memctx_error *err)
{
    size_t size = map->n_extents * sizeof(map->extents[0]);
    struct memctx_rammap *charged;
    if (memctx_rammap_create_beside(map, &charged, err) < 0)
        return -1;
    charged->extents = malloc(size > 0 ? size : 1);
    if (charged->extents == NULL) {
        memctx_rammap_destroy(charged);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    if (size > 0)
        memcpy(charged->extents, map->extents, size);
    charged->n_extents = map->n_extents;
    charged->work = work;
    *ret = charged;
    return 0;
}

struct memctx_work *
memctx_rammap_work(const struct memctx_rammap *map)
{
    return map->work;
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
    backends_drop(map->backends);
    free(map->extents);
    free(map);
}

void
memctx_rammap_cleanup(struct memctx_rammap **map)
{
    memctx_rammap_destroy(*map);
}

/* Room for one more item in an array of `used`, which doubles. NULL: there is
 * no memory; the array is as before. */
static void *
grow(void *array, size_t used, size_t item_size)
{
    bool full = (used & (used - 1)) == 0; /* 0, 1, 2, 4, 8, ... */
    return full ? realloc(array, (used == 0 ? 1 : 2 * used) * item_size)
                : array;
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

/* Takes nothing over when it fails. */
static int
add_source(struct backends *backends, const struct backend *backend,
           struct memctx_error *err)
{
    if (atomic_load(&backends->maps) > 1)
        return memctx_error_set(err, MEMCTX_BUG,
                                "backends that maps share are complete");
    if (backends->n == MEMCTX_BACKENDS_MAX)
        return memctx_error_set(err, MEMCTX_BUG, "more than %d RAM backends",
                                MEMCTX_BACKENDS_MAX);
    if (backend->size == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "guest RAM backing is empty (0 bytes)");
    struct backend *array =
        grow(backends->array, backends->n, sizeof(array[0]));
    if (array == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    backends->array = array;
    backends->array[backends->n++] = *backend;
    return 0;
}

int
memctx_rammap_add_source(struct memctx_rammap *map, const char *name,
                         const struct memctx_source *source, uint64_t size,
                         const struct memctx_backend_io *io, unsigned *ret,
                         struct memctx_error *err)
{
    struct backend backend = {.source = *source,
                              .size = size,
                              .io = io != NULL ? io : &memctx_file_io};
    snprintf(backend.name, sizeof(backend.name), "%s", name);
    if (add_source(map->backends, &backend, err) < 0) {
        source_close(map->backends, *source);
        return -1;
    }
    *ret = map->backends->n - 1;
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
    const struct memctx_source source = {memctx_steal_fd(&owned), -1, -1, 0,
                                         NULL};
    return memctx_rammap_add_source(map, name, &source, size, io, ret, err);
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
    if (!memctx_range_in(e->offset, e->size, 0,
                         memctx_rammap_backend_size(map, e->backend)))
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
    struct memctx_extent *extents =
        grow(map->extents, map->n_extents, sizeof(extents[0]));
    if (extents == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    map->extents = extents;
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
    if (!memctx_work_charge(map->work, 1 + len_bytes / MEMCTX_PAGE_SIZE))
        return memctx_work_fail("gpa", gpa, err);
    for (size_t i = find_extent(map, gpa); len_bytes > 0; i++) {
        if (i == map->n_extents || gpa < map->extents[i].gpa)
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "gpa %#" PRIx64 " is not RAM", gpa);
        const struct memctx_extent *e = &map->extents[i];
        uint64_t skip = gpa - e->gpa;
        size_t part = (size_t)memctx_min(len_bytes, e->size - skip);
        if (read_backend(&map->backends->array[e->backend], e->offset + skip,
                         to, part, err) < 0)
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
    const struct backend *backend = &map->backends->array[e->backend];
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
        if (!memctx_work_charge(map->work, 1))
            return 0;
        if (next_data_in(map, e, gpa, limit_gpa, start_gpa, end_gpa)) {
            uint64_t passed = *start_gpa - memctx_min(*start_gpa, gpa);
            memctx_work_charge(map->work, passed / HOLE_A_STEP);
            return 1;
        }
    }
    return 0;
}

/* Where in this backend what the map maps of it ends. */
static uint64_t
mapped_end(const struct memctx_rammap *map, unsigned backend)
{
    uint64_t end = 0;
    for (size_t i = 0; i < map->n_extents; i++) {
        const struct memctx_extent *e = &map->extents[i];
        if (e->backend == backend)
            end = memctx_max(end, e->offset + e->size);
    }
    return end;
}

int
memctx_rammap_check(const struct memctx_rammap *map, struct memctx_error *err)
{
    for (unsigned i = 0; i < map->backends->n; i++) {
        unsigned char last;
        uint64_t end = mapped_end(map, i);
        if (end > 0 &&
            read_backend(&map->backends->array[i], end - 1, &last, 1, err) < 0)
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
    return index < map->backends->n ? map->backends->array[index].name : "";
}

uint64_t
memctx_rammap_backend_size(const struct memctx_rammap *map, unsigned index)
{
    return index < map->backends->n ? map->backends->array[index].size : 0;
}

unsigned
memctx_rammap_backends(const struct memctx_rammap *map)
{
    return map->backends->n;
}

const struct memctx_source *
memctx_rammap_source(const struct memctx_rammap *map, unsigned index)
{
    return index < map->backends->n ? &map->backends->array[index].source
                                    : NULL;
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
