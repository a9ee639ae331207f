/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Events and their way through a queue. */
#include "watch/event.h"

#include <stdlib.h>

struct event *
event_create(enum event_kind kind)
{
    struct event *event = calloc(1, sizeof(*event));
    if (event != NULL)
        event->kind = kind;
    return event;
}

void
event_destroy(struct event *event)
{
    if (event == NULL)
        return;
    free(event->name);
    free(event);
}

void
event_push(struct queue *queue, struct event *event)
{
    queue_push(queue, &event->item);
}

struct event *
event_pop(struct queue *queue)
{
    return (struct event *)queue_pop(queue);
}

void
event_queue_destroy(struct queue *queue)
{
    struct event *event;
    while (queue != NULL && (event = event_pop(queue)) != NULL)
        event_destroy(event);
    queue_destroy(queue);
}
