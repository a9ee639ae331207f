/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens RAM that is one descriptor or one path. */
#include "backing/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/cleanup.h"

void
ram_deinit(struct ram *ram)
{
    memctx_rammap_destroy(ram->map);
    memctx_rammap_destroy(ram->other);
    ram->map = NULL;
    ram->other = NULL;
    vcpus_drop(ram->vcpus);
    ram->vcpus = NULL;
    if (ram->has_inherited)
        memctx_datum_deinit(&ram->inherited);
    ram->has_inherited = false;
}

/* FNV-1a over 64 bits. */
static uint64_t
mix(uint64_t hash, uint64_t number)
{
    for (unsigned i = 0; i < 64; i += 8)
        hash = (hash ^ (number >> i & 0xff)) * UINT64_C(1099511628211);
    return hash;
}

uint64_t
ram_identity(const struct ram *ram)
{
    uint64_t hash = mix(UINT64_C(14695981039346656037), ram->run.instance);
    for (unsigned i = 0; i < memctx_rammap_backends(ram->map); i++) {
        const struct memctx_source *source = memctx_rammap_source(ram->map, i);
        struct stat st;
        hash = mix(hash, source->start);
        /* The inodes of /proc come and go; its process is the instance. */
        if (source->pagemap_fd < 0 && fstat(source->fd, &st) == 0)
            hash = mix(mix(hash, st.st_dev), st.st_ino);
    }
    return hash;
}

static int
check_size(uint64_t size, struct memctx_error *err)
{
    if (size % MEMCTX_PAGE_SIZE != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%" PRIu64 " bytes, which is no multiple of "
                                "%u: truncated, or no raw RAM",
                                size, MEMCTX_PAGE_SIZE);
    return 0;
}

static int
check_low(uint64_t low, uint64_t size, struct memctx_error *err)
{
    if (low % MEMCTX_PAGE_SIZE != 0 || (low > 4 * MEMCTX_GIB && low != size))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "low is %#" PRIx64 ", expected a multiple of "
                                "%u up to 4 GiB",
                                low, MEMCTX_PAGE_SIZE);
    return 0;
}

/* `low` bytes of the backend from 0 on, the rest from 4 GiB on; 0: all of it.
 */
static int
add_pieces(struct ram *ram, unsigned backend, uint64_t low,
           struct memctx_error *err)
{
    uint64_t size = memctx_rammap_backend_size(ram->map, backend);
    uint64_t below_size = low == 0 ? size : memctx_min(low, size);
    struct memctx_extent below = {0, below_size, 0, backend};
    struct memctx_extent above = {4 * MEMCTX_GIB, size - below_size, below_size,
                                  backend};
    if (check_size(size, err) < 0 || check_low(low, size, err) < 0 ||
        memctx_rammap_add_extent(ram->map, &below, err) < 0)
        return -1;
    ram->low = below_size;
    return above.size == 0 ? 0
                           : memctx_rammap_add_extent(ram->map, &above, err);
}

int
ram_from_fd(int fd, const char *name, uint64_t low, struct ram *ret,
            struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    MEMCTX_CLEANUP(ram_deinit) struct ram ram = {.map = NULL};
    if (memctx_rammap_create(&ram.map, err) < 0)
        return -1;
    unsigned backend;
    if (memctx_rammap_add_backend(ram.map, name, memctx_steal_fd(&owned), NULL,
                                  &backend, err) < 0 ||
        add_pieces(&ram, backend, low, err) < 0)
        return -1;
    *ret = ram;
    ram.map = NULL;
    return 0;
}

int
ram_from_path(const char *path, const char *name, uint64_t low, struct ram *ret,
              struct memctx_error *err)
{
    /* O_NONBLOCK: a FIFO by that name must not hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot open guest RAM: %s", strerror(errno));
    return ram_from_fd(fd, name, low, ret, err);
}
