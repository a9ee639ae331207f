/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One client of the control socket as the operations see it: who it is, what
 * it may do, which domain it means, and how it is answered. Loop thread. */
#ifndef MEMCTXD_SESSION_H
#define MEMCTXD_SESSION_H

#include <json-c/json.h>

#include "control/connection.h"
#include "control/message.h"
#include "control/service.h"
#include "record/state.h"

struct session;

/* What a client waits for. */
struct waiting {
    bool is_waiting;
    bool follows;      /* goes on after the first answer */
    bool takes_silent; /* a silent kernel ends the wait; its datum is told */
    char *domain;      /* as the client called it; NULL: all; owned */
    uint64_t seen;     /* follows: changes up to this one were told */
};

/* A request whose answer comes later. Embedded in what has its state, which
 * owns itself and clears session->busy in the end. */
struct task {
    void (*abandon)(struct task *task); /* the client leaves */
};

struct session {
    struct service *service;
    struct connection *connection;
    struct peer peer;
    struct waiting waiting;
    struct task *busy; /* NULL, or under way: no request is read */
    /* An answer was sent, or could not be, while the owner was not looking. */
    void (*answered)(struct session *session, int failed);
    struct session *next; /* the owner's */
    int handle;           /* the owner's */
};

/* Queue a reply; takes the object. -1: the client is to be dropped. */
int session_reply(struct session *session, json_object *object);

/* Queue {"error":...,"kind":...}. -1 as above. */
int session_refuse(struct session *session, const struct refusal *refusal);

/* May the client do that with this domain? */
bool session_may(const struct session *session, enum access_right right,
                 const struct record *record);

/* The domain that the client calls so (an id, else a UUID, else a name), if it
 * may list it or do `right` with it; others do not exist for it. NULL, and
 * *refusal: DENIED, GONE, RETRY while libvirt is away, or USAGE for what can be
 * no domain. What is said does
 * not depend on what domains there are that it may not list. */
struct record *session_find(struct session *session, const char *domain,
                            enum access_right right, struct refusal *refusal);

/* Not all domains that run are known, for libvirt is away, or not there yet.
 * The value is -1, and *refusal RETRY. */
int session_refuse_away(struct refusal *refusal);

/* The same for a client that was not refused: nothing is said. NULL: it is not
 * there any more. */
const struct record *session_known(const struct session *session,
                                   const char *domain, enum access_right right);

/* Is this the domain that the client calls so? */
bool session_means(const struct session *session, const char *domain,
                   const struct record *record);

/* Say in *refusal that this is not allowed and what would allow it, and log it.
 * The value is -1. */
int session_deny(struct session *session, enum access_right right,
                 const char *domain, struct refusal *refusal);

#endif
