/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Items from any thread to the loop thread, which is woken through a
 * descriptor. */
#ifndef MEMCTXD_QUEUE_H
#define MEMCTXD_QUEUE_H

#include "base/error.h"

struct queue;

/* What an item begins with. */
struct queue_item {
    struct queue_item *next; /* the queue's own */
};

/* 0, or -1 with EXHAUSTED. The caller destroys it. */
int queue_create(struct queue **ret, struct memctx_error *err);

/* It must be empty: items are their owners'. NULL is fine. */
void queue_destroy(struct queue *queue);

/* Readable when there is an item. The queue keeps it. */
int queue_fd(const struct queue *queue);

/* Append an item; the queue's until it is taken out. Any thread. */
void queue_push(struct queue *queue, struct queue_item *item);

/* Take out the first item; NULL: there is none. Loop thread. */
struct queue_item *queue_pop(struct queue *queue);

#endif
