/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Work that must not be done on the loop, and its way back to it. */
#ifndef MEMCTXD_OFFLOAD_H
#define MEMCTXD_OFFLOAD_H

#include "base/error.h"
#include "common/executor.h"
#include "common/queue.h"

struct offload;

/* One piece of work, embedded by its owner, who sets the two functions. It must
 * stay where it is until done(). */
struct offload_job {
    void (*work)(struct offload_job *job); /* on one of the threads */
    void (*done)(struct offload_job *job); /* then on the loop; may free it */
    /* The offload's own. */
    struct offload *offload;
    struct executor_job job;
    struct queue_item item;
};

/* Jobs run on up to max_threads threads; their results come through libvirt's
 * event loop. -1 with EXHAUSTED. Loop thread. */
int offload_create(unsigned max_threads, struct offload **ret,
                   struct memctx_error *err);

/* Do what is queued, and call done() for it. This waits for wait_ms at most, or
 * EXECUTOR_NO_LIMIT: what is not done by then goes on, done() is never called
 * for it, and neither it nor what the threads use is freed. NULL is fine. Loop
 * thread. */
void offload_destroy(struct offload *offload, uint64_t wait_ms);

/* Hand a job over. Those of one key are done one after the other, as they came;
 * NULL: it has none. The key is copied, see executor.h. Loop thread. */
void offload_submit(struct offload *offload, const char *key,
                    struct offload_job *job);

#endif
