/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation open: datum, extents, and descriptors of the RAM. */
#include <string.h>

#include "base/cleanup.h"
#include "backing/readonly.h"
#include "control/describe.h"
#include "control/operation.h"
#include "control/request.h"
#include "text/jsonguard.h"

struct open_request {
    struct request request; /* first */
    uid_t uid;              /* whose the descriptors will be */
    json_object *reply;     /* its beginning; owned */
    int page_fd;            /* of the state page; owned */
};

static json_object *
describe_extents(const struct memctx_rammap *map)
{
    size_t count;
    const struct memctx_extent *e = memctx_rammap_extents(map, &count);
    json_object *array = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        json_object *object = json_object_new_object();
        json_object_object_add(object, "gpa", memctx_json_hex(e[i].gpa));
        json_object_object_add(object, "size", memctx_json_hex(e[i].size));
        json_object_object_add(object, "offset", memctx_json_hex(e[i].offset));
        json_object_object_add(object, "backend",
                               json_object_new_int((int)e[i].backend));
        json_object_array_add(array, object);
    }
    return array;
}

/* One backend; its descriptor, if it can be had, goes to `fds`. */
static json_object *
hand_out(const struct open_request *r, unsigned index, int *fds,
         unsigned *n_fds)
{
    const struct memctx_rammap *map = r->request.kernel.map;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    json_object *object = json_object_new_object();
    json_object_object_add(
        object, "name",
        json_object_new_string(memctx_rammap_backend_name(map, index)));
    json_object_object_add(
        object, "size",
        memctx_json_hex(memctx_rammap_backend_size(map, index)));
    if (readonly_open(memctx_rammap_source(map, index), r->uid, &fds[*n_fds],
                      &err) < 0)
        json_object_object_add(object, "why",
                               json_object_new_string(err.message));
    else
        json_object_object_add(object, "fd",
                               json_object_new_int((int)(*n_fds)++));
    return object;
}

/* A packet from what one reply says and its descriptors; owns all of them. */
static int
add_packet(struct open_request *r, json_object *reply, int *fds, unsigned n_fds,
           struct memctx_error *err)
{
    struct packet *packet = message_packet(reply);
    if (packet == NULL) {
        for (unsigned i = 0; i < n_fds; i++)
            memctx_close_fd(&fds[i]);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    memcpy(packet->fds, fds, n_fds * sizeof(fds[0]));
    packet->n_fds = n_fds;
    request_add(&r->request, packet);
    return 0;
}

/* As many backends as one packet takes, from `from` on. Returns the next. */
static int
add_part(struct open_request *r, unsigned from, unsigned *next,
         struct memctx_error *err)
{
    const struct memctx_rammap *map = r->request.kernel.map;
    int fds[CONTROL_FDS_MAX];
    unsigned n_fds = 0;
    unsigned count = memctx_rammap_backends(map);
    json_object *reply =
        from == 0 ? memctx_steal_ptr(&r->reply) : json_object_new_object();
    json_object *ram = json_object_new_object();
    json_object *backends = json_object_new_array();
    if (from == 0)
        fds[n_fds++] = memctx_steal_fd(&r->page_fd);
    unsigned end = from + CONTROL_FDS_MAX - n_fds;
    unsigned i = from;
    for (; i < count && i < end; i++)
        json_object_array_add(backends, hand_out(r, i, fds, &n_fds));
    json_object_object_add(ram, "backends", backends);
    if (from == 0)
        json_object_object_add(ram, "extents", describe_extents(map));
    json_object_object_add(reply, "ram", ram);
    if (i < count)
        json_object_object_add(reply, "more", json_object_new_boolean(1));
    *next = i;
    return add_packet(r, reply, fds, n_fds, err);
}

static int
open_ram(struct request *request, struct memctx_error *err)
{
    struct open_request *r = (struct open_request *)request;
    unsigned next = 0;
    do {
        if (add_part(r, next, &next, err) < 0)
            return -1;
    } while (next < memctx_rammap_backends(request->kernel.map));
    return 0;
}

static void
deinit(struct request *request)
{
    struct open_request *r = (struct open_request *)request;
    json_object_put(r->reply);
    memctx_close_fd(&r->page_fd);
}

static const struct request_ops ops = {
    .work = open_ram, .deinit = deinit, .serves_silent = true};

/* The descriptors of replies that nobody takes count against the most that the
 * agent may have on their way (RLIMIT_NOFILE), for all clients together. */
static int
check_taken(const struct session *session, struct refusal *refusal)
{
    if (connection_is_read(session->connection))
        return 0;
    return refuse(refusal, REFUSAL_RETRY,
                  "take the replies to earlier requests first");
}

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    (void)packet;
    if (check_taken(session, refusal) < 0)
        return -1;
    struct record *record = session_find(
        session, message_text(message, "domain"), ACCESS_OPEN, refusal);
    if (record == NULL)
        return -1;
    struct open_request *r =
        request_create(sizeof(*r), &ops, session, record, message, refusal);
    if (r == NULL)
        return -1;
    r->uid = session->peer.uid;
    r->page_fd = -1;
    if (epoch_open_page(record->epoch, &r->page_fd, &err) < 0) {
        request_destroy(&r->request);
        return refuse_error(refusal, &err);
    }
    r->reply = describe_with_datum(record, r->request.kernel.takes_silent);
    json_object_object_add(r->reply, "epoch",
                           memctx_json_hex(r->request.kernel.epoch_number));
    request_submit(&r->request);
    return 0;
}

const struct operation open_operation = {.name = "open",
                                         .perform = perform,
                                         .touches_ram = true,
                                         .right = ACCESS_OPEN};
