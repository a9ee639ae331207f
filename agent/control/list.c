/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation list: the domains that the client may list, in packets. */
#include "control/describe.h"
#include "control/operation.h"

#define PAGE_DOMAINS 64 /* in one packet of a list */

/* The next record from `r` on that the client may list. */
static const struct record *
next_listed(const struct session *session, const struct record *r)
{
    while (r != NULL && !session_may(session, ACCESS_LIST, r))
        r = r->next;
    return r;
}

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    (void)message;
    (void)packet;
    const struct record *r = next_listed(session, *session->service->records);
    if (!access_may_some(session->service->access, &session->peer, ACCESS_LIST))
        return session_deny(session, ACCESS_LIST, NULL, refusal);
    /* Nothing would look as if none ran. */
    if (r == NULL && !*session->service->is_complete)
        return session_refuse_away(refusal);
    do {
        json_object *page = json_object_new_object();
        json_object *array = json_object_new_array();
        for (unsigned i = 0; r != NULL && i < PAGE_DOMAINS; i++) {
            json_object_array_add(array, describe_domain(r));
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

const struct operation list_operation = {.name = "list", .perform = perform};
