/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An executor, and the way back from it to the loop. */
#include "common/offload.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>

#include "base/bytes.h"

struct offload {
    struct executor *executor;
    struct queue *done;
    int handle; /* libvirt's; -1: none */
};

static void
run(struct executor_job *executor_job)
{
    struct offload_job *job =
        MEMCTX_CONTAINER_OF(executor_job, struct offload_job, job);
    job->work(job);
    queue_push(job->offload->done, &job->item);
}

static void
finish(struct offload *offload)
{
    struct queue_item *item;
    while ((item = queue_pop(offload->done)) != NULL) {
        struct offload_job *job =
            MEMCTX_CONTAINER_OF(item, struct offload_job, item);
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
start(struct offload *offload, unsigned max_threads, struct memctx_error *err)
{
    if (queue_create(&offload->done, err) < 0)
        return -1;
    offload->handle =
        virEventAddHandle(queue_fd(offload->done), VIR_EVENT_HANDLE_READABLE,
                          on_done, offload, NULL);
    if (offload->handle < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "the event loop takes no more descriptors");
    return executor_create(max_threads, 0, &offload->executor, err);
}

int
offload_create(unsigned max_threads, struct offload **ret,
               struct memctx_error *err)
{
    struct offload *offload = calloc(1, sizeof(*offload));
    if (offload == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    offload->handle = -1;
    if (start(offload, max_threads, err) < 0) {
        offload_destroy(offload, EXECUTOR_NO_LIMIT);
        return -1;
    }
    *ret = offload;
    return 0;
}

void
offload_destroy(struct offload *offload, uint64_t wait_ms)
{
    if (offload == NULL)
        return;
    bool ended = executor_destroy(offload->executor, EXECUTOR_DRAIN, wait_ms);
    if (offload->handle >= 0)
        virEventRemoveHandle(offload->handle);
    if (offload->done != NULL)
        finish(offload);
    if (!ended)
        return;
    queue_destroy(offload->done);
    free(offload);
}

void
offload_submit(struct offload *offload, const char *key,
               struct offload_job *job)
{
    job->offload = offload;
    job->job = (struct executor_job){.run = run};
    executor_submit(offload->executor, key, &job->job);
}
