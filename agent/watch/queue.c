/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A linked list under a lock, and an eventfd that says it is not empty. */
#include "watch/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
    pthread_mutex_t lock;
    struct event *first;
    struct event **last;
    int fd;
};

int
queue_create(struct queue **ret, struct memctx_error *err)
{
    struct queue *queue = calloc(1, sizeof(*queue));
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue == NULL || fd < 0) {
        free(queue);
        if (fd >= 0)
            close(fd);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no memory for a queue");
    }
    pthread_mutex_init(&queue->lock, NULL);
    queue->last = &queue->first;
    queue->fd = fd;
    *ret = queue;
    return 0;
}

void
queue_destroy(struct queue *queue)
{
    if (queue == NULL)
        return;
    struct event *event;
    while ((event = queue_pop(queue)) != NULL)
        event_destroy(event);
    close(queue->fd);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

int
queue_fd(const struct queue *queue)
{
    return queue->fd;
}

void
queue_push(struct queue *queue, struct event *event)
{
    event->next = NULL;
    pthread_mutex_lock(&queue->lock);
    *queue->last = event;
    queue->last = &event->next;
    pthread_mutex_unlock(&queue->lock);
    eventfd_write(queue->fd, 1);
}

struct event *
queue_pop(struct queue *queue)
{
    eventfd_t count;
    pthread_mutex_lock(&queue->lock);
    struct event *event = queue->first;
    if (event != NULL)
        queue->first = event->next;
    if (queue->first == NULL) {
        queue->last = &queue->first;
        eventfd_read(queue->fd, &count);
    }
    pthread_mutex_unlock(&queue->lock);
    return event;
}

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
