/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An executor, and the way back from it to the loop. */
#include "control/serve.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>

#include "base/bytes.h"

struct serve {
    struct executor *executor;
    struct queue *done;
    int handle; /* libvirt's; -1: none */
};

static void
run(struct executor_job *executor_job)
{
    struct serve_job *job = (struct serve_job *)executor_job;
    job->work(job);
    queue_push(job->serve->done, &job->item);
}

static void
finish(struct serve *serve)
{
    struct queue_item *item;
    while ((item = queue_pop(serve->done)) != NULL) {
        struct serve_job *job =
            MEMCTX_CONTAINER_OF(item, struct serve_job, item);
        job->done(job);
    }
}

static void
on_done(int handle, int fd, int events, void *opaque)
{
    (void)handle;
    (void)fd;
    (void)events;
    finish(opaque);
}

static int
start(struct serve *serve, unsigned max_threads, struct memctx_error *err)
{
    if (queue_create(&serve->done, err) < 0)
        return -1;
    serve->handle = virEventAddHandle(
        queue_fd(serve->done), VIR_EVENT_HANDLE_READABLE, on_done, serve, NULL);
    if (serve->handle < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no descriptors to serve readers");
    return executor_create(max_threads, 0, &serve->executor, err);
}

int
serve_create(unsigned max_threads, struct serve **ret, struct memctx_error *err)
{
    struct serve *serve = calloc(1, sizeof(*serve));
    if (serve == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    serve->handle = -1;
    if (start(serve, max_threads, err) < 0) {
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
    executor_destroy(serve->executor, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT);
    if (serve->handle >= 0)
        virEventRemoveHandle(serve->handle);
    if (serve->done != NULL)
        finish(serve);
    queue_destroy(serve->done);
    free(serve);
}

void
serve_submit(struct serve *serve, struct serve_job *job)
{
    job->serve = serve;
    job->job = (struct executor_job){.run = run};
    executor_submit(serve->executor, NULL, &job->job);
}
