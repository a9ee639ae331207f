/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A pool, and the way back from it to the loop. */
#include "control/serve.h"

#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct serve {
    struct pool *pool;
    pthread_mutex_t lock;
    struct serve_job *first; /* done, in order */
    struct serve_job **last;
    int fd;
    int handle;
};

static void
run(struct pool_job *pool_job)
{
    struct serve_job *job = (struct serve_job *)pool_job;
    struct serve *serve = job->serve;
    job->work(job);
    pthread_mutex_lock(&serve->lock);
    job->next = NULL;
    *serve->last = job;
    serve->last = &job->next;
    eventfd_write(serve->fd, 1);
    pthread_mutex_unlock(&serve->lock);
}

static struct serve_job *
take_all(struct serve *serve)
{
    eventfd_t count;
    pthread_mutex_lock(&serve->lock);
    struct serve_job *first = serve->first;
    serve->first = NULL;
    serve->last = &serve->first;
    eventfd_read(serve->fd, &count);
    pthread_mutex_unlock(&serve->lock);
    return first;
}

static void
tell(struct serve *serve)
{
    struct serve_job *job = take_all(serve);
    while (job != NULL) {
        struct serve_job *next = job->next;
        job->done(job);
        job = next;
    }
}

static void
on_done(int handle, int fd, int events, void *opaque)
{
    (void)handle;
    (void)fd;
    (void)events;
    tell(opaque);
}

int
serve_create(unsigned n_threads, struct serve **ret, struct memctx_error *err)
{
    struct serve *serve = calloc(1, sizeof(*serve));
    if (serve == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    pthread_mutex_init(&serve->lock, NULL);
    serve->last = &serve->first;
    serve->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    serve->handle = -1;
    if (serve->fd >= 0)
        serve->handle = virEventAddHandle(serve->fd, VIR_EVENT_HANDLE_READABLE,
                                          on_done, serve, NULL);
    if (serve->handle < 0) {
        serve_destroy(serve);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no descriptors to serve readers");
    }
    if (pool_create(n_threads, &serve->pool, err) < 0) {
        serve_destroy(serve);
        return -1;
    }
    *ret = serve;
    return 0;
}

void
serve_destroy(struct serve *serve)
{
    if (serve == NULL)
        return;
    pool_destroy(serve->pool);
    if (serve->handle >= 0)
        virEventRemoveHandle(serve->handle);
    tell(serve);
    if (serve->fd >= 0)
        close(serve->fd);
    pthread_mutex_destroy(&serve->lock);
    free(serve);
}

void
serve_submit(struct serve *serve, struct serve_job *job)
{
    job->serve = serve;
    job->pool_job.run = run;
    pool_submit(serve->pool, &job->pool_job);
}
