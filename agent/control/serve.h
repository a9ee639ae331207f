/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Threads of their own for what readers ask: a flood of reads must not delay
 * the search for kernels. */
#ifndef MEMCTXD_SERVE_H
#define MEMCTXD_SERVE_H

#include "base/error.h"
#include "common/executor.h"
#include "common/queue.h"

struct serve;

/* One piece of work, embedded by its owner. */
struct serve_job {
    struct executor_job job; /* first */
    struct queue_item item;
    struct serve *serve;
    void (*work)(struct serve_job *job); /* on one of the threads */
    void (*done)(struct serve_job *job); /* then on the loop; may free it */
};

/* Jobs run on up to max_threads threads; their results come through libvirt's
 * event loop. -1 with EXHAUSTED. Loop thread. */
int serve_create(unsigned max_threads, struct serve **ret,
                 struct memctx_error *err);

/* Wait for what is under way, and tell its owners. NULL is fine. */
void serve_destroy(struct serve *serve);

/* Hand a job over. Loop thread. */
void serve_submit(struct serve *serve, struct serve_job *job);

#endif
