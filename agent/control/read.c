/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation read: guest memory for those who have no descriptor of it,
 * since the operation open could give them none (src/reader/remote.c asks for
 * it). It copies bytes, and looks at none: it must not know what a page table
 * is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/number.h"
#include "control/operation.h"
#include "control/request.h"

#define VERSION_WITHOUT_GVA 2
#define HOLE_MAX MEMCTX_GIB /* that is looked for at once */

struct read_request {
    struct request request; /* first */
    uint64_t gpa;
    size_t len_bytes;
};

/* The first GPA behind the RAM that goes on from `gpa` without a gap. */
static uint64_t
end_of_ram(const struct memctx_rammap *map, uint64_t gpa)
{
    size_t count;
    const struct memctx_extent *e = memctx_rammap_extents(map, &count);
    uint64_t end = gpa;
    for (size_t i = 0; i < count && e[i].gpa <= end; i++)
        end = memctx_max(end, e[i].gpa + e[i].size);
    return end;
}

/* Bytes from gpa on that were never touched; 0: not all that is asked for. */
static uint64_t
find_hole(const struct memctx_rammap *map, uint64_t gpa, size_t len_bytes)
{
    uint64_t start;
    uint64_t end;
    uint64_t limit = end_of_ram(map, gpa);
    limit = gpa + memctx_min(limit - gpa, HOLE_MAX);
    if (limit - gpa < len_bytes)
        return 0;
    if (memctx_rammap_next_data(map, gpa, limit, &start, &end) != 0)
        limit = start;
    return limit - gpa < len_bytes ? 0 : limit - gpa;
}

/* {"KEY":"0x..."}, a newline, and room for len bytes, which *bytes is. */
static struct packet *
make_packet(const char *key, uint64_t value, size_t len, char **bytes)
{
    char head[64];
    int n = snprintf(head, sizeof(head), "{\"%s\":\"" MEMCTX_HEX "\"}%s", key,
                     value, len > 0 ? "\n" : "");
    struct packet *packet = packet_create((size_t)n + len);
    if (packet == NULL)
        return NULL;
    memcpy(packet->bytes, head, (size_t)n);
    *bytes = packet->bytes + n;
    return packet;
}

static int
read_memory(struct request *request, struct memctx_error *err)
{
    const struct read_request *r = (struct read_request *)request;
    const struct memctx_rammap *map = request->kernel.map;
    char *bytes;
    uint64_t hole = find_hole(map, r->gpa, r->len_bytes);
    struct packet *packet =
        hole > 0 ? make_packet("hole", hole, 0, &bytes)
                 : make_packet("size", r->len_bytes, r->len_bytes, &bytes);
    if (packet == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    request_add(request, packet);
    if (hole > 0)
        return memctx_rammap_check(map, err);
    return memctx_rammap_read(map, r->gpa, bytes, r->len_bytes, err);
}

static const struct request_ops ops = {.work = read_memory,
                                       .serves_silent = true};

/* Version 1 of the protocol read by virtual address, too. A client of then is
 * told, also one that never says "hello"; what it asked for must not be passed
 * over as unknown, or it would get other bytes. */
static int
check_physical(json_object *message, struct refusal *refusal)
{
    static const char *const ended[] = {"gva", "root"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ended); i++) {
        if (json_object_object_get_ex(message, ended[i], NULL))
            return refuse(refusal, REFUSAL_USAGE,
                          "\"%s\" of read ended with version %d of the "
                          "protocol: walk the page tables yourself, as "
                          "libmemctx does, and read by \"gpa\"",
                          ended[i], VERSION_WITHOUT_GVA);
    }
    return 0;
}

static int
parse_address(struct read_request *r, json_object *message,
              struct refusal *refusal)
{
    int has = message_number(message, "gpa", &r->gpa, refusal);
    if (has == 0)
        return refuse(refusal, REFUSAL_USAGE, "read wants \"gpa\"");
    return has < 0 ? -1 : 0;
}

static int
parse_size(struct read_request *r, json_object *message,
           struct refusal *refusal)
{
    uint64_t size = 0;
    uint64_t last;
    if (message_number(message, "size", &size, refusal) < 0)
        return -1;
    if (size == 0 || size > CONTROL_READ_MAX)
        return refuse(refusal, REFUSAL_USAGE, "\"size\" wants 1 to %#x bytes",
                      CONTROL_READ_MAX);
    if (!memctx_add(r->gpa, size - 1, &last))
        return refuse(refusal, REFUSAL_USAGE,
                      "the range reaches beyond the last address");
    r->len_bytes = (size_t)size;
    return 0;
}

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    (void)packet;
    const struct record *record = session_find(
        session, message_text(message, "domain"), ACCESS_READ, refusal);
    if (record == NULL || check_physical(message, refusal) < 0)
        return -1;
    struct read_request *r =
        request_create(sizeof(*r), &ops, session, record, message, refusal);
    if (r == NULL)
        return -1;
    if (parse_address(r, message, refusal) < 0 ||
        parse_size(r, message, refusal) < 0) {
        request_destroy(&r->request);
        return -1;
    }
    request_submit(&r->request);
    return 0;
}

const struct operation read_operation = {.name = "read",
                                         .perform = perform,
                                         .touches_ram = true,
                                         .right = ACCESS_READ};
