/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of operations, and those that are answered at once. */
#include "control/operations.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "text/jsonguard.h"

#define PAGE_DOMAINS 64 /* in one packet of a list */

json_object *
operations_describe(const struct record *record)
{
    json_object *d = json_object_new_object();
    json_object_object_add(d, "name", json_object_new_string(record->name));
    json_object_object_add(d, "uuid", json_object_new_string(record->uuid));
    json_object_object_add(d, "id", json_object_new_int(record->id));
    json_object_object_add(
        d, "state",
        json_object_new_string(memctx_state_name(record_state(record))));
    if (record_reason(record)[0] != '\0')
        json_object_object_add(d, "reason",
                               json_object_new_string(record_reason(record)));
    if (record->has_datum)
        json_object_object_add(
            d, "generation",
            json_object_new_int((int)record->datum.generation));
    return d;
}

json_object *
operations_show(const struct record *record)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *xml = NULL;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "domain", operations_describe(record));
    if (record->has_datum && record_state(record) == MEMCTX_STATE_READY &&
        memctx_datum_to_xml(&record->datum, MEMCTX_PRIVATE, &xml, NULL) == 0)
        json_object_object_add(object, "datum", json_object_new_string(xml));
    return object;
}

static int
hello(struct session *session, json_object *request, struct packet *packet,
      struct refusal *refusal)
{
    (void)request;
    (void)packet;
    (void)refusal;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "memctx",
                           json_object_new_int(CONTROL_VERSION));
    json_object_object_add(object, "version",
                           json_object_new_string(PACKAGE_VERSION));
    return session_reply(session, object) < 0 ? -2 : 0;
}

/* The next record from `r` on that the client may list. */
static const struct record *
next_listed(const struct session *session, const struct record *r)
{
    while (r != NULL && !session_may(session, ACCESS_LIST, r))
        r = r->next;
    return r;
}

static int
list(struct session *session, json_object *request, struct packet *packet,
     struct refusal *refusal)
{
    (void)request;
    (void)packet;
    const struct record *r = next_listed(session, *session->service->records);
    if (!access_may_some(session->service->access, &session->peer, ACCESS_LIST))
        return session_deny(session, ACCESS_LIST, NULL, refusal);
    do {
        json_object *page = json_object_new_object();
        json_object *array = json_object_new_array();
        for (unsigned i = 0; r != NULL && i < PAGE_DOMAINS; i++) {
            json_object_array_add(array, operations_describe(r));
            r = next_listed(session, r->next);
        }
        json_object_object_add(page, "domains", array);
        if (r != NULL)
            json_object_object_add(page, "more", json_object_new_boolean(1));
        if (session_reply(session, page) < 0)
            return -2;
    } while (r != NULL);
    return 0;
}

static int
show(struct session *session, json_object *request, struct packet *packet,
     struct refusal *refusal)
{
    (void)packet;
    const struct record *record = session_find(
        session, message_text(request, "domain"), ACCESS_SHOW, refusal);
    if (record == NULL)
        return -1;
    return session_reply(session, operations_show(record)) < 0 ? -2 : 0;
}

static const struct {
    const char *name;
    operation_fn *perform;
    bool takes_fds;
} operations[] = {
    {"hello", hello, false},
    {"list", list, false},
    {"show", show, false},
    {"wait", operation_wait, false},
    {"open", operation_open, false},
    {"read", operation_read, false},
    {"write", operation_write, false},
    {"attach", operation_attach, true},
};

static int
perform(struct session *session, json_object *request, struct packet *packet,
        struct refusal *refusal)
{
    const char *op = message_text(request, "op");
    if (op == NULL)
        return refuse(refusal, REFUSAL_USAGE,
                      "expected a JSON object {\"op\":\"...\"}");
    if (session->waiting.follows)
        return refuse(refusal, REFUSAL_USAGE,
                      "this connection follows domains: it takes no more "
                      "requests");
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(operations); i++) {
        if (strcmp(op, operations[i].name) != 0)
            continue;
        if (packet->n_fds > 0 && !operations[i].takes_fds)
            return refuse(refusal, REFUSAL_USAGE, "'%s' takes no descriptors",
                          op);
        return operations[i].perform(session, request, packet, refusal);
    }
    return refuse(refusal, REFUSAL_USAGE, "'%.40s' is no operation", op);
}

int
operations_perform(struct session *session, struct packet *packet)
{
    struct refusal refusal;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = message_parse(packet);
    int result = perform(session, request, packet, &refusal);
    if (result == -1)
        result = session_refuse(session, &refusal);
    return result < 0 ? -1 : 0;
}
