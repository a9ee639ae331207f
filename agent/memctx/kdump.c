/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A backend whose bytes libkdumpfile unpacks. */
#include "memctx/kdump.h"

#include <unistd.h>

#ifdef HAVE_KDUMPFILE

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"

/* What is called of the library. */
#define CALLS(call)           \
    call(kdump_new);          \
    call(kdump_free);         \
    call(kdump_get_err);      \
    call(kdump_read);         \
    call(kdump_get_attr);     \
    call(kdump_set_attr);     \
    call(kdump_bmp_decref);   \
    call(kdump_bmp_find_set); \
    call(kdump_bmp_find_clear)

struct kdump {
    void *library;
    kdump_ctx_t *ctx;
    int fd; /* the map's */
#define DECLARE(name) __typeof__(name) *name
    CALLS(DECLARE);
#undef DECLARE
    bool is_refused; /* the file was */
};

static int
bind(struct kdump *k, struct memctx_error *err)
{
    const char *missing = NULL;
#define BIND(name)                                           \
    k->name = (__typeof__(k->name))dlsym(k->library, #name); \
    if (k->name == NULL)                                     \
    missing = #name
    CALLS(BIND);
#undef BIND
    if (missing != NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT, "%s has no %s",
                                KDUMPFILE_LIBRARY, missing);
    k->ctx = k->kdump_new();
    return k->ctx != NULL
               ? 0
               : memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
}

int
kdump_load(struct kdump **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(kdump_cleanup) struct kdump *k = calloc(1, sizeof(*k));
    if (k == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    k->library = dlopen(KDUMPFILE_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (k->library == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "its pages are compressed (kdump), and %s, "
                                "which reads that, is not installed: install "
                                "it, or unpack the file with "
                                "\"makedumpfile -E\"",
                                KDUMPFILE_LIBRARY);
    if (bind(k, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&k);
    return 0;
}

void
kdump_unload(struct kdump *k)
{
    if (k == NULL)
        return;
    /* Of a file that it refused libkdumpfile (0.5.1 at least) frees something
     * twice. That happens once, right before the end. */
    if (k->is_refused)
        return;
    if (k->ctx != NULL)
        k->kdump_free(k->ctx);
    if (k->library != NULL)
        dlclose(k->library);
    free(k);
}

static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    struct kdump *k = source->arg;
    size_t len = len_bytes;
    kdump_status failed =
        k->kdump_read(k->ctx, KDUMP_MACHPHYSADDR, offset, buf, &len);
    if (failed == KDUMP_OK || len > 0)
        return (ssize_t)len;
    errno = EIO;
    return -1;
}

/* Where pages were left out a search could go on faster; the file says so in a
 * bitmap. */
static int
next_data(const struct memctx_source *source, uint64_t offset, uint64_t limit,
          uint64_t *start, uint64_t *end)
{
    (void)source;
    *start = offset;
    *end = limit;
    return 1;
}

static const struct memctx_backend_io kdump_io = {
    .read_at = read_at,
    .next_data = next_data,
};

int
kdump_add(struct kdump *k, int fd, struct memctx_rammap *map,
          struct memctx_error *err)
{
    unsigned backend;
    const struct memctx_source source = {fd, -1, -1, 0, k};
    k->fd = fd;
    /* How far its memory reaches only the file itself knows. */
    return memctx_rammap_add_source(map, "ram", &source, UINT64_C(1) << 52,
                                    &kdump_io, &backend, err);
}

static int
fail(struct kdump *k, const char *what, struct memctx_error *err)
{
    const char *why = k->kdump_get_err(k->ctx);
    return memctx_error_set(err, MEMCTX_PERMANENT, "%s: %s", what,
                            why != NULL ? why : "no reason is given");
}

static int
set_number(struct kdump *k, const char *key, uint64_t value,
           struct memctx_error *err)
{
    const kdump_attr_t attr = {.type = KDUMP_NUMBER, .val.number = value};
    return k->kdump_set_attr(k->ctx, key, &attr) == KDUMP_OK
               ? 0
               : fail(k, key, err);
}

/* A mapping of the file would be refused, and SIGBUS if the file shrank. */
static int
open_file(struct kdump *k, struct memctx_error *err)
{
    if (set_number(k, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER, err) < 0)
        return -1;
    /* This is what opens it. */
    k->is_refused = set_number(k, KDUMP_ATTR_FILE_FD, (uint64_t)k->fd, err) < 0;
    if (k->is_refused)
        return memctx_error_prefix(err, "libkdumpfile cannot read it");
    return set_number(k, KDUMP_ATTR_ZERO_EXCLUDED, 1, err);
}

/* Runs of pages that the machine had. Bounded: each turn adds an extent, of
 * which there can be so many, or leaves. */
static int
add_extents(struct kdump *k, kdump_bmp_t *pages, uint64_t page_size,
            struct memctx_rammap *map, struct memctx_error *err)
{
    kdump_addr_t first = 0;
    while (k->kdump_bmp_find_set(pages, &first) == KDUMP_OK) {
        kdump_addr_t end = first;
        struct memctx_extent e = {.backend = 0};
        if (k->kdump_bmp_find_clear(pages, &end) != KDUMP_OK || end <= first)
            break;
        if (!memctx_mul(first, page_size, &e.gpa) ||
            !memctx_mul(end - first, page_size, &e.size))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "has memory beyond 2^64");
        e.offset = e.gpa;
        if (memctx_rammap_add_extent(map, &e, err) < 0)
            return -1;
        first = end;
    }
    return memctx_rammap_size(map) > 0
               ? 0
               : memctx_error_set(err, MEMCTX_PERMANENT, "holds no memory");
}

int
kdump_lay_out(struct kdump *k, struct memctx_rammap *map,
              struct memctx_error *err)
{
    kdump_attr_t pages = {.type = KDUMP_BITMAP};
    kdump_attr_t size = {.type = KDUMP_NUMBER};
    if (open_file(k, err) < 0)
        return -1;
    if (k->kdump_get_attr(k->ctx, KDUMP_ATTR_PAGE_SIZE, &size) != KDUMP_OK ||
        size.type != KDUMP_NUMBER)
        return fail(k, "it does not say how large its pages are", err);
    if (k->kdump_get_attr(k->ctx, KDUMP_ATTR_MEMORY_PAGEMAP, &pages) !=
            KDUMP_OK ||
        pages.type != KDUMP_BITMAP)
        return fail(k, "it does not say which memory it holds", err);
    int failed = add_extents(k, pages.val.bitmap, size.val.number, map, err);
    k->kdump_bmp_decref(pages.val.bitmap);
    return failed;
}

#else

int
kdump_load(struct kdump **ret, struct memctx_error *err)
{
    *ret = NULL;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "its pages are compressed (kdump), and this "
                            "memctx was built without libkdumpfile, which "
                            "reads that; unpack the file with \"makedumpfile "
                            "-E\"");
}

void
kdump_unload(struct kdump *kdump)
{
    (void)kdump;
}

int
kdump_add(struct kdump *kdump, int fd, struct memctx_rammap *map,
          struct memctx_error *err)
{
    (void)kdump;
    (void)map;
    close(fd);
    return memctx_error_set(err, MEMCTX_BUG, "no libkdumpfile");
}

int
kdump_lay_out(struct kdump *kdump, struct memctx_rammap *map,
              struct memctx_error *err)
{
    (void)kdump;
    (void)map;
    return memctx_error_set(err, MEMCTX_BUG, "no libkdumpfile");
}

#endif

void
kdump_cleanup(struct kdump **kdump)
{
    kdump_unload(*kdump);
}
