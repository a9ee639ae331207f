/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Checks what was handed in and makes RAM of it. Whoever hands in is trusted to
 * know the guest, not to make no mistakes. */
#include "backing/handed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/bytes.h"
#include "base/cleanup.h"

/* What x86 and ARM can address. */
#define GPA_MAX (UINT64_C(1) << 52)

struct handed {
    uint64_t low;
    size_t n_fds;
    int fds[HANDED_FDS_MAX];
    size_t n_extents;
    struct memctx_extent extents[MEMCTX_EXTENTS_MAX];
};

struct handed *
handed_create(uint64_t low)
{
    struct handed *handed = calloc(1, sizeof(*handed));
    if (handed != NULL)
        handed->low = low;
    return handed;
}

void
handed_destroy(struct handed *handed)
{
    if (handed == NULL)
        return;
    for (size_t i = 0; i < handed->n_fds; i++)
        memctx_close_fd(&handed->fds[i]);
    free(handed);
}

int
handed_add_fd(struct handed *handed, int fd, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    if (handed->n_fds == HANDED_FDS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "more than %d descriptors were handed in",
                                HANDED_FDS_MAX);
    handed->fds[handed->n_fds++] = memctx_steal_fd(&owned);
    return 0;
}

int
handed_add_extent(struct handed *handed, const struct memctx_extent *extent,
                  struct memctx_error *err)
{
    if (handed->n_extents == MEMCTX_EXTENTS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "more than %d extents were handed in",
                                MEMCTX_EXTENTS_MAX);
    handed->extents[handed->n_extents++] = *extent;
    return 0;
}

static bool
show_same_bytes(const struct memctx_extent *a, const struct memctx_extent *b)
{
    return a->backend == b->backend && a->offset < b->offset + b->size &&
           b->offset < a->offset + a->size;
}

static int
check_extent(const struct handed *handed, size_t i, struct memctx_error *err)
{
    const struct memctx_extent *e = &handed->extents[i];
    uint64_t end;
    if (e->backend >= handed->n_fds)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the extent at gpa %#" PRIx64
                                " is of descriptor %u, and %zu were handed in",
                                e->gpa, e->backend, handed->n_fds);
    if ((e->gpa | e->size | e->offset) % MEMCTX_PAGE_SIZE != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the extent at gpa %#" PRIx64
                                " of size %#" PRIx64 " at offset %#" PRIx64
                                " is not one of whole pages",
                                e->gpa, e->size, e->offset);
    if (!memctx_add(e->gpa, e->size, &end) || end > GPA_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the extent at gpa %#" PRIx64
                                " of size %#" PRIx64 " ends beyond 2^52",
                                e->gpa, e->size);
    for (size_t j = 0; j < i; j++) {
        if (show_same_bytes(e, &handed->extents[j]))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "the extents at gpa %#" PRIx64
                                    " and %#" PRIx64 " show the same bytes",
                                    handed->extents[j].gpa, e->gpa);
    }
    return 0;
}

static int
check_used(const struct handed *handed, struct memctx_error *err)
{
    bool used[HANDED_FDS_MAX] = {false};
    for (size_t i = 0; i < handed->n_extents; i++) {
        if (handed->extents[i].backend < handed->n_fds)
            used[handed->extents[i].backend] = true;
    }
    for (size_t i = 0; i < handed->n_fds; i++) {
        if (!used[i])
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "no extent is of descriptor %zu", i);
    }
    return 0;
}

/* Bytes below 4 GiB; all of them where RAM is one piece, wherever it is. */
static uint64_t
low_of_extents(const struct memctx_rammap *map)
{
    size_t n;
    const struct memctx_extent *e = memctx_rammap_extents(map, &n);
    uint64_t low = 0;
    if (n == 1)
        return e[0].size;
    for (size_t i = 0; i < n && e[i].gpa < 4 * MEMCTX_GIB; i++)
        low += memctx_min(e[i].size, 4 * MEMCTX_GIB - e[i].gpa);
    return low;
}

/* Takes the descriptors out of fds[]. */
static int
add_backends(size_t n_fds, int *fds, struct memctx_rammap *map,
             struct memctx_error *err)
{
    for (size_t i = 0; i < n_fds; i++) {
        char name[32] = "ram";
        unsigned index;
        if (n_fds > 1)
            snprintf(name, sizeof(name), "ram%zu", i);
        if (memctx_rammap_add_backend(map, name, memctx_steal_fd(&fds[i]), NULL,
                                      &index, err) < 0)
            return memctx_error_prefix(err, "descriptor %zu", i);
    }
    return 0;
}

static int
by_extents(const struct handed *handed, int *fds, struct ram *ret,
           struct memctx_error *err)
{
    MEMCTX_CLEANUP(ram_deinit) struct ram ram = {.map = NULL};
    if (memctx_rammap_create(&ram.map, err) < 0 ||
        add_backends(handed->n_fds, fds, ram.map, err) < 0 ||
        check_used(handed, err) < 0)
        return -1;
    for (size_t i = 0; i < handed->n_extents; i++) {
        if (check_extent(handed, i, err) < 0 ||
            memctx_rammap_add_extent(ram.map, &handed->extents[i], err) < 0)
            return -1;
    }
    ram.low = low_of_extents(ram.map);
    if (handed->low != 0 && handed->low != ram.low)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "low is %#" PRIx64 ", but the extents have "
                                "%#" PRIx64 " bytes below 4 GiB",
                                handed->low, ram.low);
    *ret = ram;
    ram.map = NULL;
    return 0;
}

/* Takes the descriptors out of fds[], or leaves them to the caller. */
static int
make_ram(const struct handed *handed, int *fds, struct ram *ret,
         struct memctx_error *err)
{
    if (handed->n_fds == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "no descriptor of RAM was handed in, or it has "
                                "been closed since");
    if (handed->n_extents > 0)
        return by_extents(handed, fds, ret, err);
    if (handed->n_fds > 1)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%zu descriptors were handed in without the "
                                "extents that they hold",
                                handed->n_fds);
    return ram_from_fd(memctx_steal_fd(&fds[0]), "ram", handed->low, ret, err);
}

int
handed_open(struct handed *handed, struct ram *ret, struct memctx_error *err)
{
    int failed = make_ram(handed, handed->fds, ret, err);
    for (size_t i = 0; i < handed->n_fds; i++)
        memctx_close_fd(&handed->fds[i]);
    handed->n_fds = 0;
    return failed;
}

void
handed_cleanup(struct handed **handed)
{
    handed_destroy(*handed);
}

/* These two any user can mount, in a namespace of its own. A FUSE server
 * answers when it likes, and an overlay may have FUSE below it: every read of
 * the RAM could wait for ever. */
static int
check_file_system(int fd, struct memctx_error *err)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, "its file system: %s",
                                strerror(errno));
    if (fs.f_type == FUSE_SUPER_MAGIC || fs.f_type == OVERLAYFS_SUPER_MAGIC)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a file of %s, which could make every read "
                                "wait, is not taken",
                                fs.f_type == FUSE_SUPER_MAGIC ? "FUSE"
                                                              : "an overlay");
    return 0;
}

int
handed_check(const struct handed *handed, struct memctx_error *err)
{
    MEMCTX_CLEANUP(ram_deinit) struct ram ram = {.map = NULL};
    MEMCTX_CLEANUP(handed_cleanup)
    struct handed *copy = malloc(sizeof(*copy));
    if (copy == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *copy = *handed;
    copy->n_fds = 0;
    for (size_t i = 0; i < handed->n_fds; i++) {
        int fd = fcntl(handed->fds[i], F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return memctx_error_set(err, MEMCTX_EXHAUSTED, "descriptor %zu: %s",
                                    i, strerror(errno));
        copy->fds[copy->n_fds++] = fd;
    }
    if (handed_open(copy, &ram, err) < 0)
        return -1;
    for (size_t i = 0; i < handed->n_fds; i++) {
        if (check_file_system(handed->fds[i], err) < 0)
            return memctx_error_prefix(err, "descriptor %zu", i);
    }
    return 0;
}
