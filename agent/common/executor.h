/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Runs jobs on threads of its own. Jobs with the same key (a domain's UUID,
 * say) run one after the other, in the order in which they came; all others run
 * side by side. Keys take turns. Threads are started as they are needed, up to
 * a limit, and kept.
 *
 * A job is embedded in what it works on:
 *
 *   struct write { struct executor_job job; ... };
 *   write->job = (struct executor_job){.run = run_write, .drop = drop_write};
 *   executor_submit(executor, uuid, &write->job);
 *
 * From then on it is the executor's, until run() or drop() is called. */
#ifndef MEMCTXD_EXECUTOR_H
#define MEMCTXD_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/uuid.h"

struct executor;
struct executor_worker;

struct executor_job {
    /* Do the work, on one of the threads, without a lock. The job is its
       owner's again: run() may free it, or pass it on. */
    void (*run)(struct executor_job *job);
    /* It will not be run: too many jobs of its key wait, and `next` is the one
       that comes after it; or the executor ends, and `next` is NULL. The job is
       its owner's again. Called with the lock held: it must not wait, nor call
       the executor. NULL where neither can happen. */
    void (*drop)(struct executor_job *job, struct executor_job *next);
    bool urgent; /* it goes before jobs of other keys that are not */
    /* The executor's own. */
    char key[MEMCTX_UUID_TEXT_SIZE]; /* "": none */
    uint64_t due_ms;                 /* not to be run before; 0: at once */
    struct executor_worker *worker;  /* that runs it */
    struct executor_job *behind;     /* the next one of this key */
    struct executor_job *other;      /* the first one of the next key */
};

/* Up to max_threads jobs run at a time. Of each key max_waiting may wait, the
 * one that runs not counted; one more drops the oldest. 0: any number. The
 * first thread is started here, so that there is one. -1 with EXHAUSTED. The
 * caller calls executor_destroy(). */
int executor_create(unsigned max_threads, unsigned max_waiting,
                    struct executor **ret, struct memctx_error *err);

enum executor_end {
    EXECUTOR_DRAIN, /* what waits is run */
    EXECUTOR_DROP   /* what waits is dropped */
};

/* From now on one of the threads runs urgent jobs only, if there is more than
 * one: others may all hang. */
void executor_keep_spare(struct executor *executor);

#define EXECUTOR_NO_LIMIT UINT64_MAX

/* End the threads, and wait for what runs for wait_ms at most. True: all is
 * freed. False: jobs still run, and others after them; the executor and what
 * they use must stay. It may be called again then. NULL is fine. The thread
 * that created it. */
bool executor_destroy(struct executor *executor, enum executor_end how,
                      uint64_t wait_ms);

/* Queue a job behind those of its key; NULL: it has none. The key is copied.
 * Any thread, but not after executor_destroy(). */
void executor_submit(struct executor *executor, const char *key,
                     struct executor_job *job);

/* From its run(), which must touch it no more: run this job again in delay_ms,
 * before those of its key that came meanwhile. It is the oldest of them, and is
 * dropped at once if max_waiting of them wait, or the executor ends. */
void executor_retry(struct executor *executor, struct executor_job *job,
                    uint64_t delay_ms);

/* Take back a job that was submitted. True: it waited, and is the caller's.
 * False: it runs, or has been run or dropped. Any thread. */
bool executor_cancel(struct executor *executor, const struct executor_job *job);

/* Call `idle` once when no job waits or runs: now, if that is so, else on the
 * thread that ends the last one. With the lock held, as drop(). */
void executor_when_idle(struct executor *executor, void (*idle)(void *arg),
                        void *arg);

#endif
