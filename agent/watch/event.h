/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the loop thread is told by the others, as a value in a queue. */
#ifndef MEMCTXD_EVENT_H
#define MEMCTXD_EVENT_H

#include <stdbool.h>

#include "base/uuid.h"
#include "common/queue.h"
#include "domain/domain.h"

/* Under this URI, beside the datum's, agents speak to each other. */
#define EVENT_CLAIM_URI "urn:memctx:agent:1"

enum event_kind {
    EVENT_CONNECTED,  /* callbacks are registered; a list follows */
    EVENT_DOMAIN,     /* something happened to a domain */
    EVENT_LISTED,     /* the list is complete: what was not in it is gone */
    EVENT_LOST,       /* the connection broke */
    EVENT_METADATA,   /* a domain's datum was written or removed, by us or by
                         somebody else */
    EVENT_CHECKED,    /* the publisher has looked at it for that */
    EVENT_CLAIM,      /* the claim on the domains of this connection is settled,
                         or is not any more */
    EVENT_CLAIM_WORD, /* an agent said something of that in a domain */
    EVENT_IDLE,       /* the publisher has nothing more to write */
    EVENT_SIGNAL,     /* as SIGTERM, from another thread */
};

struct event {
    struct queue_item item; /* first */
    enum event_kind kind;
    enum memctx_event what; /* EVENT_DOMAIN */
    bool cold;              /* START: booted, not restored or just found */
    bool was_wrong;         /* EVENT_CHECKED: it was somebody else's */
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    int id;
    char *name; /* owned by the event */
};

/* An event of this kind, else zero; NULL: out of memory. Any thread. */
struct event *event_create(enum event_kind kind);

/* NULL is fine. */
void event_destroy(struct event *event);

/* Queue it; it is the queue's then. Any thread. */
void event_push(struct queue *queue, struct event *event);

/* The first event of a queue that holds nothing else, or NULL; the caller
 * destroys it. Loop thread. */
struct event *event_pop(struct queue *queue);

/* Destroy a queue with the events that are still in it. NULL is fine. */
void event_queue_destroy(struct queue *queue);

#endif
