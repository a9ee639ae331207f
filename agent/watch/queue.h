/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Event values from any thread to the loop thread, which is woken through a
 * descriptor. */
#ifndef MEMCTXD_QUEUE_H
#define MEMCTXD_QUEUE_H

#include <stdbool.h>

#include "base/uuid.h"
#include "domain/domain.h"
#include "base/error.h"

enum event_kind {
    EVENT_CONNECTED, /* callbacks are registered; a list follows */
    EVENT_DOMAIN,    /* something happened to a domain */
    EVENT_LISTED,    /* the list is complete: what was not in it is gone */
    EVENT_LOST,      /* the connection broke */
    EVENT_IDLE,      /* the publisher has nothing more to write */
    EVENT_SIGNAL,    /* SIGTERM or SIGINT arrived */
};

struct event {
    enum event_kind kind;
    enum memctx_event what; /* EVENT_DOMAIN */
    bool cold;              /* START: booted, not restored or just found */
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    int id;
    char *name; /* owned by the event */
    struct event *next;
};

struct queue;

int queue_create(struct queue **ret, struct memctx_error *err);
void queue_destroy(struct queue *queue);

/* Readable when there is an event. */
int queue_fd(const struct queue *queue);

/* Append an event that event_create() made; owned by the queue. Any thread. */
void queue_push(struct queue *queue, struct event *event);

/* The first event, or NULL; the caller calls event_destroy(). Loop thread. */
struct event *queue_pop(struct queue *queue);

/* An event of this kind, else zero; NULL: out of memory. */
struct event *event_create(enum event_kind kind);
void event_destroy(struct event *event);

#endif
