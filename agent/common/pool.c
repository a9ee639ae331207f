/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Worker threads over one queue. */
#include "common/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/thread.h"

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct pool_job *first;
    struct pool_job **last; /* where the next job is hooked in */
    bool stopping;
    unsigned n_threads;
    pthread_t threads[];
};

static struct pool_job *
next_job(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->stopping)
        pthread_cond_wait(&pool->changed, &pool->lock);
    struct pool_job *job = pool->first;
    if (job != NULL) {
        pool->first = job->next;
        if (pool->first == NULL)
            pool->last = &pool->first;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *
run_thread(void *arg)
{
    struct pool *pool = arg;
    struct pool_job *job;
    while ((job = next_job(pool)) != NULL)
        job->run(job);
    return NULL;
}

static int
start_thread(struct pool *pool)
{
    if (thread_start(&pool->threads[pool->n_threads], run_thread, pool) != 0)
        return -1;
    pool->n_threads++;
    return 0;
}

int
pool_create(unsigned n_threads, struct pool **ret, struct memctx_error *err)
{
    struct pool *pool =
        calloc(1, sizeof(*pool) + n_threads * sizeof(pool->threads[0]));
    if (pool == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pool->last = &pool->first;
    while (pool->n_threads < n_threads) {
        if (start_thread(pool) == 0)
            continue;
        pool_destroy(pool);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot start %u threads", n_threads);
    }
    *ret = pool;
    return 0;
}

void
pool_destroy(struct pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void
pool_submit(struct pool *pool, struct pool_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&pool->lock);
    *pool->last = job;
    pool->last = &job->next;
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}
