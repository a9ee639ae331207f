/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One list of the keys that wait for a thread, each by its first job, with the
 * other jobs of that key behind it. A key that is being worked on is not in it:
 * its jobs wait at the worker, which puts them back at the end of the list. So
 * no two jobs of one key run at once, and none is looked at in vain.
 *
 * Nothing is allocated for a job, so that submitting one cannot fail. */
#include "common/executor.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "common/thread.h"
#include "wire/clocks.h"

/* One of the threads. */
struct executor_worker {
    struct executor *executor;
    pthread_t thread;
    bool busy;
    bool urgent;                     /* busy: with such a job */
    char key[MEMCTX_UUID_TEXT_SIZE]; /* busy: of the job that runs */
    struct executor_job *waiting;    /* of the same key */
};

struct executor {
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t changed;
    struct executor_job *first; /* of the first key that waits */
    bool stopping;
    void (*idle)(void *arg); /* NULL: nobody wants to know */
    void *idle_arg;
    unsigned max_waiting;
    unsigned n_looking; /* workers that wait for a job */
    unsigned n_ended;
    unsigned n_workers; /* started so far */
    unsigned max_workers;
    unsigned n_spare;
    struct executor_worker workers[];
};

/* Where the first job of this key that waits is linked, or would be: at the
 * worker that runs another, else in the list or at its end. Bounded by the
 * threads and by the keys that wait. Lock held. */
static struct executor_job **
find_place(struct executor *e, const char *key)
{
    for (unsigned i = 0; i < e->n_workers && key[0] != '\0'; i++) {
        if (e->workers[i].busy && strcmp(e->workers[i].key, key) == 0)
            return &e->workers[i].waiting;
    }
    struct executor_job **place = &e->first;
    while (*place != NULL &&
           (key[0] == '\0' || strcmp((*place)->key, key) != 0))
        place = &(*place)->other;
    return place;
}

/* Take the job out that is linked at `place`; the one behind it takes its
 * place. */
static struct executor_job *
unlink_first(struct executor_job **place)
{
    struct executor_job *job = *place;
    struct executor_job *behind = job->behind;
    if (behind != NULL)
        behind->other = job->other;
    *place = behind != NULL ? behind : job->other;
    job->behind = NULL;
    job->other = NULL;
    return job;
}

/* Lock held, as below. */
static void
append(struct executor *e, struct executor_job *job)
{
    struct executor_job **place = find_place(e, job->key);
    struct executor_job **last = place;
    unsigned waiting = 0;
    for (; *last != NULL; last = &(*last)->behind)
        waiting++;
    *last = job;
    if (e->max_waiting > 0 && waiting == e->max_waiting) {
        struct executor_job *oldest = unlink_first(place);
        oldest->drop(oldest, *place);
    }
}

static void
tell_idle(struct executor *e)
{
    for (unsigned i = 0; i < e->n_workers; i++) {
        if (e->workers[i].busy)
            return;
    }
    if (e->idle == NULL || e->first != NULL)
        return;
    e->idle(e->idle_arg);
    e->idle = NULL;
}

/* May a job that is not urgent be begun? */
static bool
has_room(const struct executor *e)
{
    unsigned running = 0;
    for (unsigned i = 0; i < e->n_workers; i++)
        running += e->workers[i].busy && !e->workers[i].urgent;
    return running + e->n_spare < e->max_workers;
}

/* Where the first job is linked that may run now, urgent ones before others;
 * NULL: there is none, and *wait_ms until there is one, 0: no end is in sight.
 * A job for which there is no room is found by the worker that makes it. */
static struct executor_job **
find_due(struct executor *e, uint64_t *wait_ms)
{
    uint64_t now_ms = clocks_now_ms();
    bool room = has_room(e);
    struct executor_job **found = NULL;
    *wait_ms = 0;
    for (struct executor_job **place = &e->first; *place != NULL;
         place = &(*place)->other) {
        uint64_t due_ms = (*place)->due_ms;
        bool urgent = (*place)->urgent;
        if (!urgent && !room)
            continue;
        if (due_ms > now_ms && !e->stopping) {
            uint64_t left_ms = due_ms - now_ms;
            *wait_ms = *wait_ms == 0 ? left_ms : memctx_min(*wait_ms, left_ms);
            continue;
        }
        if (urgent)
            return place;
        found = found != NULL ? found : place;
    }
    return found;
}

static void
wait_for_change(struct executor *e, uint64_t wait_ms)
{
    struct timespec until = clocks_deadline(wait_ms);
    e->n_looking++;
    if (wait_ms == 0)
        pthread_cond_wait(&e->changed, &e->lock);
    else
        pthread_cond_timedwait(&e->changed, &e->lock, &until);
    e->n_looking--;
}

/* The next job for this worker; NULL: there is no more. */
static struct executor_job *
take_job(struct executor_worker *worker)
{
    struct executor *e = worker->executor;
    struct executor_job **place;
    uint64_t wait_ms;
    while ((place = find_due(e, &wait_ms)) == NULL) {
        if (e->stopping)
            return NULL;
        wait_for_change(e, wait_ms);
    }
    struct executor_job *job = *place;
    *place = job->other;
    worker->waiting = job->behind;
    worker->busy = true;
    worker->urgent = job->urgent;
    memcpy(worker->key, job->key, sizeof(worker->key));
    job->behind = NULL;
    job->other = NULL;
    job->worker = worker;
    return job;
}

/* The others of its key have their turn when all that wait have had theirs. */
static void
finish_job(struct executor_worker *worker)
{
    struct executor *e = worker->executor;
    struct executor_job **last = &e->first;
    while (*last != NULL)
        last = &(*last)->other;
    *last = worker->waiting;
    worker->waiting = NULL;
    worker->busy = false;
    tell_idle(e);
}

static void *run_worker(void *arg);

static int
start_worker(struct executor *e)
{
    struct executor_worker *worker = &e->workers[e->n_workers];
    worker->executor = e;
    int failed = thread_start(&worker->thread, run_worker, worker);
    if (failed == 0)
        e->n_workers++;
    return failed;
}

/* Something waits, maybe not to be run yet: somebody must look at it, whatever
 * becomes of the jobs that run. */
static void
call_worker(struct executor *e)
{
    if (e->n_looking > 0)
        pthread_cond_signal(&e->changed);
    else if (e->n_workers < e->max_workers)
        start_worker(e);
}

static void *
run_worker(void *arg)
{
    struct executor_worker *worker = arg;
    struct executor *e = worker->executor;
    struct executor_job *job;
    pthread_mutex_lock(&e->lock);
    while ((job = take_job(worker)) != NULL) {
        if (e->first != NULL)
            call_worker(e);
        pthread_mutex_unlock(&e->lock);
        job->run(job);
        pthread_mutex_lock(&e->lock);
        finish_job(worker);
    }
    e->n_ended++;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

int
executor_create(unsigned max_threads, unsigned max_waiting,
                struct executor **ret, struct memctx_error *err)
{
    struct executor *e =
        calloc(1, sizeof(*e) + max_threads * sizeof(e->workers[0]));
    if (e == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    pthread_mutex_init(&e->lock, NULL);
    clocks_init_cond(&e->changed);
    e->max_workers = max_threads;
    e->max_waiting = max_waiting;
    pthread_mutex_lock(&e->lock);
    int failed = start_worker(e);
    pthread_mutex_unlock(&e->lock);
    if (failed != 0) {
        executor_destroy(e, EXECUTOR_DROP, EXECUTOR_NO_LIMIT);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot start a thread: %s", strerror(failed));
    }
    *ret = e;
    return 0;
}

void
executor_keep_spare(struct executor *e)
{
    pthread_mutex_lock(&e->lock);
    e->n_spare = e->max_workers > 1;
    pthread_mutex_unlock(&e->lock);
}

static void
drop_all(struct executor_job **place)
{
    while (*place != NULL) {
        struct executor_job *job = unlink_first(place);
        job->drop(job, NULL);
    }
}

/* False: the time is over. */
static bool
wait_for_workers(struct executor *e, uint64_t wait_ms)
{
    struct timespec until = clocks_deadline(wait_ms);
    int ended = 0;
    while (e->n_ended < e->n_workers && ended != ETIMEDOUT)
        ended = pthread_cond_timedwait(&e->changed, &e->lock, &until);
    return e->n_ended == e->n_workers;
}

bool
executor_destroy(struct executor *e, enum executor_end how, uint64_t wait_ms)
{
    if (e == NULL)
        return true;
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    if (how == EXECUTOR_DROP) {
        drop_all(&e->first);
        for (unsigned i = 0; i < e->n_workers; i++)
            drop_all(&e->workers[i].waiting);
    }
    pthread_cond_broadcast(&e->changed);
    bool ended = wait_ms == EXECUTOR_NO_LIMIT || wait_for_workers(e, wait_ms);
    pthread_mutex_unlock(&e->lock);
    if (!ended)
        return false;
    for (unsigned i = 0; i < e->n_workers; i++)
        pthread_join(e->workers[i].thread, NULL);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    free(e);
    return true;
}

void
executor_submit(struct executor *e, const char *key, struct executor_job *job)
{
    assert(key == NULL || strlen(key) < sizeof(job->key));
    snprintf(job->key, sizeof(job->key), "%s", key != NULL ? key : "");
    job->due_ms = 0;
    job->behind = NULL;
    job->other = NULL;
    pthread_mutex_lock(&e->lock);
    append(e, job);
    call_worker(e);
    pthread_mutex_unlock(&e->lock);
}

void
executor_retry(struct executor *e, struct executor_job *job, uint64_t delay_ms)
{
    pthread_mutex_lock(&e->lock);
    struct executor_job **place = &job->worker->waiting;
    unsigned waiting = 0;
    for (const struct executor_job *j = *place; j != NULL; j = j->behind)
        waiting++;
    job->due_ms = clocks_now_ms() + delay_ms;
    job->behind = *place;
    if (e->stopping)
        job->drop(job, NULL);
    else if (e->max_waiting > 0 && waiting == e->max_waiting)
        job->drop(job, *place);
    else
        *place = job;
    pthread_mutex_unlock(&e->lock);
}

/* Where a job is linked that waits; NULL: it does not. */
static struct executor_job **
find_link(struct executor *e, const struct executor_job *job)
{
    bool keyed = job->key[0] != '\0';
    struct executor_job **link = keyed ? find_place(e, job->key) : &e->first;
    while (*link != NULL && *link != job)
        link = keyed ? &(*link)->behind : &(*link)->other;
    return *link != NULL ? link : NULL;
}

bool
executor_cancel(struct executor *e, const struct executor_job *job)
{
    pthread_mutex_lock(&e->lock);
    struct executor_job **link = find_link(e, job);
    if (link != NULL) {
        unlink_first(link);
        tell_idle(e);
    }
    pthread_mutex_unlock(&e->lock);
    return link != NULL;
}

void
executor_when_idle(struct executor *e, void (*idle)(void *arg), void *arg)
{
    pthread_mutex_lock(&e->lock);
    e->idle = idle;
    e->idle_arg = arg;
    tell_idle(e);
    pthread_mutex_unlock(&e->lock);
}
