/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens RAM that is one descriptor or one path. */
#include "ram.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"

void
ram_deinit(struct ram *ram)
{
    memctx_rammap_destroy(ram->map);
    memctx_rammap_destroy(ram->other);
    ram->map = NULL;
    ram->other = NULL;
    if (ram->has_inherited)
        memctx_datum_deinit(&ram->inherited);
    ram->has_inherited = false;
}

static int
check_low(uint64_t low, uint64_t size, struct memctx_error *err)
{
    if (size % MEMCTX_PAGE_SIZE != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%" PRIu64 " bytes, which is no multiple of "
                                "%u: truncated, or no raw RAM",
                                size, MEMCTX_PAGE_SIZE);
    if (low % MEMCTX_PAGE_SIZE != 0 || low > 4 * MEMCTX_GIB)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "low is %#" PRIx64 ", expected a multiple of "
                                "%u up to 4 GiB",
                                low, MEMCTX_PAGE_SIZE);
    return 0;
}

/* `low` bytes from GPA 0 on, the rest from 4 GiB on. */
static int
add_two_pieces(struct memctx_rammap *map, unsigned backend, uint64_t low,
               struct memctx_error *err)
{
    uint64_t size = memctx_rammap_backend_size(map, backend);
    low = memctx_min(low, size);
    struct memctx_extent below = {0, low, 0, backend};
    struct memctx_extent above = {4 * MEMCTX_GIB, size - low, low, backend};
    if (memctx_rammap_add_extent(map, &below, err) < 0)
        return -1;
    return above.size == 0 ? 0 : memctx_rammap_add_extent(map, &above, err);
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
                                  &backend, err) < 0)
        return -1;
    uint64_t size = memctx_rammap_backend_size(ram.map, backend);
    if (check_low(low, size, err) < 0 ||
        add_two_pieces(ram.map, backend, low == 0 ? size : low, err) < 0)
        return -1;
    ram.low = low == 0 ? size : memctx_min(low, size);
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
