/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation attach: RAM that infrastructure hands in. */
#include "base/cleanup.h"
#include "backing/handed.h"
#include "control/describe.h"
#include "control/operation.h"

/* A member of an extent that must be there. */
static int
need_number(json_object *object, const char *key, uint64_t *ret,
            struct refusal *refusal)
{
    int has = message_number(object, key, ret, refusal);
    if (has == 0)
        return refuse(refusal, REFUSAL_USAGE, "an extent wants \"%s\"", key);
    return has < 0 ? -1 : 0;
}

static int
add_extent(struct handed *handed, json_object *object, struct refusal *refusal)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_extent e;
    uint64_t backend;
    if (!json_object_is_type(object, json_type_object))
        return refuse(refusal, REFUSAL_USAGE, "an extent is an object");
    if (need_number(object, "gpa", &e.gpa, refusal) < 0 ||
        need_number(object, "size", &e.size, refusal) < 0 ||
        need_number(object, "offset", &e.offset, refusal) < 0 ||
        need_number(object, "backend", &backend, refusal) < 0)
        return -1;
    if (backend >= HANDED_FDS_MAX)
        return refuse(refusal, REFUSAL_USAGE,
                      "\"backend\" wants the number of a descriptor");
    e.backend = (unsigned)backend;
    return handed_add_extent(handed, &e, &err) < 0 ? refuse_error(refusal, &err)
                                                   : 0;
}

static int
add_extents(struct handed *handed, json_object *message,
            struct refusal *refusal)
{
    json_object *array;
    if (!json_object_object_get_ex(message, "extents", &array))
        return 0;
    if (!json_object_is_type(array, json_type_array))
        return refuse(refusal, REFUSAL_USAGE, "\"extents\" wants an array");
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        if (add_extent(handed, json_object_array_get_idx(array, i), refusal) <
            0)
            return -1;
    }
    return 0;
}

/* The descriptors are the RAM's from here on, whatever fails. */
static int
add_fds(struct handed *handed, struct packet *packet, struct refusal *refusal)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (packet->n_fds == 0)
        return refuse(refusal, REFUSAL_USAGE,
                      "attach wants descriptors beside the request");
    for (unsigned i = 0; i < packet->n_fds; i++) {
        if (handed_add_fd(handed, memctx_steal_fd(&packet->fds[i]), &err) < 0)
            return refuse_error(refusal, &err);
    }
    return 0;
}

static struct handed *
take_in(json_object *message, struct packet *packet, struct refusal *refusal)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    uint64_t low = 0;
    if (message_number(message, "low", &low, refusal) < 0)
        return NULL;
    MEMCTX_CLEANUP(handed_cleanup) struct handed *handed = handed_create(low);
    if (handed == NULL) {
        refuse(refusal, REFUSAL_EXHAUSTED, "out of memory");
        return NULL;
    }
    if (add_fds(handed, packet, refusal) < 0 ||
        add_extents(handed, message, refusal) < 0)
        return NULL;
    if (handed_check(handed, &err) < 0) {
        refuse_error(refusal, &err);
        return NULL;
    }
    return memctx_steal_ptr(&handed);
}

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct service *service = session->service;
    const char *domain = message_text(message, "domain");
    struct record *record =
        session_find(session, domain, ACCESS_ATTACH, refusal);
    if (record == NULL)
        return -1;
    struct handed *handed = take_in(message, packet, refusal);
    if (handed == NULL)
        return -1;
    if (service->attach(service->attach_arg, record, handed, &record, &err) < 0)
        return refuse_error(refusal, &err);
    json_object *object = json_object_new_object();
    json_object_object_add(object, "domain", describe_domain(record));
    return session_reply(session, object) < 0 ? -2 : 0;
}

const struct operation attach_operation = {
    .name = "attach", .takes_fds = true, .perform = perform};
