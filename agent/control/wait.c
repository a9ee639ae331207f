/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation wait. */
#include "control/wait.h"

#include <stdlib.h>
#include <string.h>

#include "control/describe.h"
#include "control/operation.h"

void
wait_deinit(struct waiting *waiting)
{
    free(waiting->domain);
    memset(waiting, 0, sizeof(*waiting));
}

static bool
is_wanted(const struct session *session, const struct record *record)
{
    const struct waiting *w = &session->waiting;
    if (w->domain != NULL)
        return session_means(session, w->domain, record);
    return session_may(session, ACCESS_WAIT, record) &&
           session_may(session, ACCESS_LIST, record);
}

/* Of the domains that changed since, the one that did first. A record that is
 * new counts as changed now. */
static const struct record *
next_changed(const struct session *session)
{
    struct service *service = session->service;
    const struct record *first = NULL;
    for (struct record *r = *service->records; r != NULL; r = r->next) {
        if (r->change == 0)
            r->change = ++service->changes;
        if (r->change > session->waiting.seen &&
            (first == NULL || r->change < first->change) &&
            is_wanted(session, r))
            first = r;
    }
    return first;
}

static bool
is_decided(const struct waiting *w, const struct record *record)
{
    enum memctx_state state = record_state(record);
    return state == MEMCTX_STATE_READY || state == MEMCTX_STATE_UNSUPPORTED ||
           (w->takes_silent && state == MEMCTX_STATE_SILENT &&
            record->has_datum);
}

int
wait_tell(struct session *session)
{
    struct waiting *w = &session->waiting;
    const struct record *r;
    bool takes_silent = w->takes_silent;
    while (w->is_waiting && connection_unsent(session->connection) == 0 &&
           (r = next_changed(session)) != NULL) {
        w->seen = r->change;
        if (!w->follows && !is_decided(w, r))
            continue;
        if (!w->follows)
            wait_deinit(w);
        if (session_reply(session, describe_with_datum(r, takes_silent)) < 0)
            return -1;
    }
    return 0;
}

static int
tell_gone(struct session *session, json_object *d)
{
    json_object *object = json_object_new_object();
    json_object_object_del(d, "reason");
    json_object_object_del(d, "generation");
    json_object_object_add(d, "state", json_object_new_string("gone"));
    json_object_object_add(object, "domain", d);
    return session_reply(session, object);
}

int
wait_tell_gone(struct session *session, const struct record *record)
{
    if (!session->waiting.follows || !is_wanted(session, record))
        return 0;
    return tell_gone(session, describe_domain(record));
}

/* May the client wait for this, be there such a domain or not? */
static int
check_domain(struct session *session, const char *domain, bool *is_there,
             struct refusal *refusal)
{
    *is_there = session_find(session, domain, ACCESS_WAIT, refusal) != NULL;
    return *is_there || refusal->kind == REFUSAL_GONE ||
                   refusal->kind == REFUSAL_RETRY
               ? 0
               : -1;
}

static int
check_all(struct session *session, bool follows, struct refusal *refusal)
{
    if (!follows)
        return refuse(refusal, REFUSAL_USAGE,
                      "wait wants a \"domain\", or \"follow\":true");
    if (access_may_some(session->service->access, &session->peer, ACCESS_WAIT))
        return 0;
    return session_deny(session, ACCESS_WAIT, NULL, refusal);
}

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    struct waiting *w = &session->waiting;
    const char *domain = message_text(message, "domain");
    bool follows = message_flag(message, "follow");
    bool all = !json_object_object_get_ex(message, "domain", NULL);
    bool is_there = true;
    (void)packet;
    if ((all ? check_all(session, follows, refusal)
             : check_domain(session, domain, &is_there, refusal)) < 0)
        return -1;
    /* Who mistyped a name should not wait for ever without a word. */
    if (!is_there && message_flag(message, "running"))
        return -1;
    wait_deinit(w);
    w->is_waiting = true;
    w->follows = follows;
    w->takes_silent = message_flag(message, "silent");
    w->domain = domain != NULL ? strdup(domain) : NULL;
    if (domain != NULL && w->domain == NULL)
        return -2;
    if (!is_there && follows) {
        json_object *d = json_object_new_object();
        json_object_object_add(d, "name", json_object_new_string(domain));
        if (tell_gone(session, d) < 0)
            return -2;
    }
    return wait_tell(session) < 0 ? -2 : 0;
}

const struct operation wait_operation = {.name = "wait", .perform = perform};
