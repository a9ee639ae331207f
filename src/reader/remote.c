/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads a backend by the "read" operation of memctx-control(7), which takes
 * guest-physical addresses. */
#include "reader/remote.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "text/jsonguard.h"

#define PROBE 4096u

/* A run of data is given out in pieces, as of files. */
#define RUN_MAX MEMCTX_MIB

static int
fail(const struct remote *remote, const struct memctx_error *why)
{
    *remote->failure = *why;
    errno = EIO;
    return -1;
}

/* The extent that shows an offset of this backend, NULL: none does. */
static const struct memctx_extent *
find_extent(const struct remote *remote, uint64_t offset)
{
    size_t n;
    const struct memctx_extent *e = memctx_rammap_extents(remote->map, &n);
    for (size_t i = 0; i < n; i++) {
        if (e[i].backend == remote->backend &&
            memctx_range_in(offset, 1, e[i].offset, e[i].size))
            return &e[i];
    }
    return NULL;
}

/* Ask for `size` bytes at a gpa. Data: 0 and bytes in the packet; a hole: 0 and
 * its size in *hole. */
static int
ask(const struct remote *remote, uint64_t gpa, uint64_t size,
    struct client_packet *ret, uint64_t *hole, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask("read", remote->domain);
    uint64_t got;
    json_object_object_add(request, "epoch", memctx_json_hex(remote->epoch));
    json_object_object_add(request, "gpa", memctx_json_hex(gpa));
    json_object_object_add(request, "size", memctx_json_hex(size));
    client_take_silent(request, remote->takes_silent);
    if (client_call(remote->client, request, ret, err) < 0)
        return -1;
    if (client_number(ret->object, "hole", hole) && *hole != 0)
        return 0;
    *hole = 0;
    if (!client_number(ret->object, "size", &got) || got == 0 || got > size ||
        got != ret->n_bytes)
        return memctx_error_set(err, MEMCTX_GONE,
                                "memctxd's answer to a read of %#" PRIx64
                                " bytes at gpa %#" PRIx64 " has %zu bytes",
                                size, gpa, ret->n_bytes);
    return 0;
}

static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    const struct remote *remote = source->arg;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet packet = {.n_fds = 0};
    const struct memctx_extent *e = find_extent(remote, offset);
    uint64_t hole;
    if (e == NULL) {
        memctx_error_set(&why, MEMCTX_RETRY, "offset %#" PRIx64 " is not RAM",
                         offset);
        return fail(remote, &why);
    }
    uint64_t into = offset - e->offset;
    uint64_t size =
        memctx_min(memctx_min(len_bytes, CONTROL_READ_MAX), e->size - into);
    if (ask(remote, e->gpa + into, size, &packet, &hole, &why) < 0)
        return fail(remote, &why);
    if (hole != 0) {
        /* It may be longer than was asked for. */
        size = memctx_min(memctx_min(len_bytes, hole), e->size - into);
        memset(buf, 0, (size_t)size);
        return (ssize_t)size;
    }
    memcpy(buf, packet.bytes, packet.n_bytes);
    return (ssize_t)packet.n_bytes;
}

/* Bounded: each turn passes a hole, and holes are at least a byte; an agent
 * that answers small ones for ever is as slow as one that does not answer. */
static int
next_data(const struct memctx_source *source, uint64_t offset, uint64_t limit,
          uint64_t *start, uint64_t *end)
{
    const struct remote *remote = source->arg;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    while (offset < limit) {
        MEMCTX_CLEANUP(client_packet_deinit)
        struct client_packet packet = {.n_fds = 0};
        uint64_t hole;
        const struct memctx_extent *e = find_extent(remote, offset);
        if (e == NULL)
            return 0;
        uint64_t into = offset - e->offset;
        uint64_t size =
            memctx_min(memctx_min(PROBE, limit - offset), e->size - into);
        if (ask(remote, e->gpa + into, size, &packet, &hole, &why) < 0)
            return fail(remote, &why);
        if (hole == 0) {
            *start = offset;
            *end = memctx_min(limit, offset + RUN_MAX);
            return 1;
        }
        offset += memctx_min(hole, e->size - into);
    }
    return 0;
}

const struct memctx_backend_io remote_io = {
    .read_at = read_at,
    .next_data = next_data,
};
