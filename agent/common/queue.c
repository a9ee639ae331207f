/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A linked list under a lock, and an eventfd that says it is not empty. */
#include "common/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"

struct queue {
    pthread_mutex_t lock;
    struct queue_item *first;
    struct queue_item **last; /* where the next one is linked */
    int fd;
};

int
queue_create(struct queue **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct queue *queue = calloc(1, sizeof(*queue));
    if (queue == NULL || fd < 0) {
        free(queue);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no memory for a queue");
    }
    pthread_mutex_init(&queue->lock, NULL);
    queue->last = &queue->first;
    queue->fd = memctx_steal_fd(&fd);
    *ret = queue;
    return 0;
}

void
queue_destroy(struct queue *queue)
{
    if (queue == NULL)
        return;
    assert(queue->first == NULL);
    memctx_close_fd(&queue->fd);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

int
queue_fd(const struct queue *queue)
{
    return queue->fd;
}

void
queue_push(struct queue *queue, struct queue_item *item)
{
    item->next = NULL;
    pthread_mutex_lock(&queue->lock);
    *queue->last = item;
    queue->last = &item->next;
    eventfd_write(queue->fd, 1);
    pthread_mutex_unlock(&queue->lock);
}

struct queue_item *
queue_pop(struct queue *queue)
{
    eventfd_t count;
    pthread_mutex_lock(&queue->lock);
    struct queue_item *item = queue->first;
    if (item != NULL)
        queue->first = item->next;
    if (queue->first == NULL) {
        queue->last = &queue->first;
        eventfd_read(queue->fd, &count);
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}
