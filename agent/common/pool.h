/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A fixed number of threads that run jobs in order of arrival. */
#ifndef MEMCTXD_POOL_H
#define MEMCTXD_POOL_H

#include "base/error.h"

struct pool;

/* One piece of work; the submitter embeds and owns it. It must stay where it
 * is until run() has been called, which may free it. */
struct pool_job {
    void (*run)(struct pool_job *job);
    struct pool_job *next; /* the pool's */
};

/* -1 with EXHAUSTED: no threads to be had. */
int pool_create(unsigned n_threads, struct pool **ret,
                struct memctx_error *err);

/* Run what is queued, wait for it, end the threads. NULL is fine. */
void pool_destroy(struct pool *pool);

/* Queue a job. Any thread. */
void pool_submit(struct pool *pool, struct pool_job *job);

#endif
