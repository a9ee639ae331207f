/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An executor of one thread, and an alarm clock. */
#include "common/disposer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "common/executor.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid /* glibc before 2.38 */
#endif

#define WAITING_MAX 64 /* each may be a descriptor of ours */
#define ALARM_NS 10000000

struct disposer {
    struct executor *executor;
    atomic_uint waiting;
};

struct disposal {
    struct executor_job job; /* first */
    struct disposer *disposer;
    void (*destroy)(void *what);
    void *what;
};

/* It is there to end a system call, for which being handled is enough. */
static void
on_signal(int signal)
{
    (void)signal;
}

/* While a signal is pending for a thread, no close of its waits: one alarm ends
 * all waiting that one system call brought about. */
static void
destroy_in_time(void (*destroy)(void *what), void *what)
{
    const struct itimerspec often = {.it_value = {0, ALARM_NS},
                                     .it_interval = {0, ALARM_NS}};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = SIGUSR2};
    event.sigev_notify_thread_id = gettid();
    sigset_t alarm;
    sigset_t old;
    timer_t timer;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGUSR2);
    bool armed = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    pthread_sigmask(SIG_UNBLOCK, &alarm, &old);
    if (armed)
        timer_settime(timer, 0, &often, NULL);
    destroy(what);
    if (armed)
        timer_delete(timer);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void
run(struct executor_job *job)
{
    struct disposal *d = (struct disposal *)job;
    destroy_in_time(d->destroy, d->what);
    atomic_fetch_sub(&d->disposer->waiting, 1);
    free(d);
}

int
disposer_create(struct disposer **ret, struct memctx_error *err)
{
    const struct sigaction action = {.sa_handler = on_signal,
                                     .sa_flags = SA_RESTART};
    struct disposer *disposer = calloc(1, sizeof(*disposer));
    if (disposer == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (executor_create(1, 0, &disposer->executor, err) < 0) {
        free(disposer);
        return -1;
    }
    sigaction(SIGUSR2, &action, NULL);
    *ret = disposer;
    return 0;
}

void
disposer_destroy(struct disposer *disposer)
{
    if (disposer == NULL)
        return;
    executor_destroy(disposer->executor, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT);
    free(disposer);
}

void
disposer_take(struct disposer *disposer, void (*destroy)(void *what),
              void *what)
{
    struct disposal *d = NULL;
    if (atomic_load(&disposer->waiting) < WAITING_MAX)
        d = calloc(1, sizeof(*d));
    if (d == NULL) {
        destroy_in_time(destroy, what);
        return;
    }
    *d = (struct disposal){
        .job.run = run, .disposer = disposer, .destroy = destroy, .what = what};
    atomic_fetch_add(&disposer->waiting, 1);
    executor_submit(disposer->executor, NULL, &d->job);
}
