/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A thread that waits for probers, and one that writes files. */
#include "lastlogs.h"

#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "boots/bootdir.h"
#include "common/executor.h"
#include "common/thread.h"
#include "common/trouble.h"
#include "wire/clocks.h"

/* Lines of one log. A kernel's ring has 256 KiB mostly, and its lines as much
 * and half as much again. */
#define LINES_BYTES MEMCTX_MIB

/* A prober that is asked has a second (TRIES_LAST), one that waits for a place
 * among the others a little more. From then on nobody holds the RAM. */
#define WAIT_US 3000000u

/* How long hooks wait for a file. */
#define HOOKS_WAIT_MS 5000

/* How long the end of memctxd waits for files. */
#define WRITE_WAIT_MS 1000

struct lastlogs {
    struct lastlogs_means means;
    char *dir;
    int wake; /* eventfd: an outcome is there, or a log was taken */
    struct executor *files; /* NULL: not started yet */
    struct trouble failing; /* files */
    pthread_t thread;
    bool started;         /* loop thread's */
    pthread_mutex_t lock; /* over the rest */
    bool stopping;
    struct lastlog *first; /* whose prober is waited for */
};

/* The loop, hooks and the two threads have a reference each. */
struct lastlog {
    struct hooks_file file; /* first */
    struct executor_job job;
    struct lastlogs *logs;
    _Atomic unsigned references;
    struct bootlog head;
    char *path; /* of its file; owned */
    struct bootdir_bounds bounds;
    int fd; /* memfd that the prober writes to; -1: it was written down */
    struct tries_client *client;
    uint64_t until_us;
    struct tries_outcome outcome;
    struct lastlog *next;
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t changed;
    bool undone; /* its kernel runs on */
    enum {
        WAITS,
        KEPT,
        FAILED,
    } state;
};

/* A file that is to go since its kernel runs on. */
struct removal {
    struct executor_job job; /* first */
    struct lastlogs *logs;
    char name[BOOTLOG_NAME_SIZE];
};

/* ---- one log ------------------------------------------------------------- */

void
lastlog_drop(struct lastlog *log)
{
    if (log == NULL || atomic_fetch_sub(&log->references, 1) > 1)
        return;
    memctx_close_fd(&log->fd);
    free(log->path);
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

static struct lastlog *
share(struct lastlog *log)
{
    atomic_fetch_add(&log->references, 1);
    return log;
}

static bool
await_file(struct hooks_file *file, char *path, size_t size)
{
    struct lastlog *log = (struct lastlog *)file;
    struct timespec until = clocks_deadline(HOOKS_WAIT_MS);
    int failed = 0;
    pthread_mutex_lock(&log->lock);
    while (log->state == WAITS && failed == 0)
        failed = pthread_cond_timedwait(&log->changed, &log->lock, &until);
    bool kept = log->state == KEPT && !log->undone;
    pthread_mutex_unlock(&log->lock);
    return kept && (size_t)snprintf(path, size, "%s", log->path) < size;
}

static void
drop_file(struct hooks_file *file)
{
    lastlog_drop((struct lastlog *)file);
}

struct hooks_file *
lastlog_for_hooks(struct lastlog *log)
{
    return log == NULL ? NULL : &share(log)->file;
}

/* ---- files --------------------------------------------------------------- */

/* What the prober has written. */
static int
read_lines(const struct lastlog *log, char **ret, size_t *len,
           struct memctx_error *err)
{
    struct stat st;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *lines = NULL;
    if (fstat(log->fd, &st) < 0)
        return memctx_error_set(err, MEMCTX_BUG, "a log has no size");
    /* The prober's limit holds it there, too; it may be the guest's by now. */
    size_t size = (size_t)memctx_min((uint64_t)st.st_size, LINES_BYTES);
    if ((lines = malloc(size + 1)) == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    ssize_t n = pread(log->fd, lines, size, 0);
    if (n < 0)
        return memctx_error_set(err, MEMCTX_BUG, "a log cannot be read back");
    *ret = memctx_steal_ptr(&lines);
    *len = (size_t)n;
    return 0;
}

static int
keep(struct lastlog *log, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *lines = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_fd) int dirfd = -1;
    size_t len;
    if (read_lines(log, &lines, &len, err) < 0 ||
        bootdir_open(log->logs->dir, true, &dirfd, err) < 0)
        return -1;
    return bootdir_put(dirfd, &log->head, lines, len, &log->bounds, err);
}

static void
run_keep(struct executor_job *job)
{
    struct lastlog *log =
        (struct lastlog *)((char *)job - offsetof(struct lastlog, job));
    struct memctx_error err = MEMCTX_ERROR_INIT;
    pthread_mutex_lock(&log->lock);
    bool undone = log->undone;
    pthread_mutex_unlock(&log->lock);
    bool kept = !undone && keep(log, &err) == 0;
    if (!undone && !kept)
        trouble_strike(&log->logs->failing, log->logs->means.log, false,
                       "uuid=%s the log of a kernel that has ended is not "
                       "kept: %s",
                       log->head.uuid, err.message);
    memctx_close_fd(&log->fd);
    pthread_mutex_lock(&log->lock);
    log->state = kept ? KEPT : FAILED;
    pthread_cond_broadcast(&log->changed);
    pthread_mutex_unlock(&log->lock);
    lastlog_drop(log);
}

static void
run_removal(struct executor_job *job)
{
    struct removal *removal = (struct removal *)job;
    MEMCTX_CLEANUP(memctx_cleanup_fd) int dirfd = -1;
    if (bootdir_open(removal->logs->dir, true, &dirfd, NULL) == 0)
        unlinkat(dirfd, removal->name, 0);
    free(removal);
}

void
lastlog_undo(struct lastlog *log)
{
    struct removal *removal = malloc(sizeof(*removal));
    pthread_mutex_lock(&log->lock);
    log->undone = true;
    pthread_mutex_unlock(&log->lock);
    /* It may be written just now: that job comes first. */
    if (removal == NULL)
        return;
    removal->job = (struct executor_job){.run = run_removal};
    removal->logs = log->logs;
    bootlog_name(&log->head, removal->name);
    executor_submit(log->logs->files, NULL, &removal->job);
}

/* ---- probers ------------------------------------------------------------- */

/* What is wanting, in words; "": nothing. */
static void
judge(const struct tries_outcome *outcome, char *ret, size_t size)
{
    const struct memctx_probe_answer *answer = &outcome->answer;
    ret[0] = '\0';
    if (outcome->fault != TRIES_FINE)
        snprintf(ret, size, "%s", outcome->why.message);
    else if (answer->why.kind == MEMCTX_GONE)
        snprintf(ret, size, "its RAM went with its QEMU");
    else if (answer->verdict != MEMCTX_PROBE_DONE)
        snprintf(ret, size, "%s", answer->why.message);
    else if (answer->cut)
        snprintf(ret, size, "there was no room for older records");
}

static void
set_end(struct bootlog *head, enum bootlog_end end)
{
    snprintf(head->end, sizeof(head->end), "%s", bootlog_end_name(end));
}

/* The RAM is let go of first. Who has panicked and was reset by that says so
 * itself, mostly before anybody has heard of it. */
static void
finish(struct lastlog *log)
{
    tries_leave(memctx_steal_ptr(&log->client));
    log->head.records = log->outcome.answer.records;
    judge(&log->outcome, log->head.missing, sizeof(log->head.missing));
    if (log->outcome.answer.panicked)
        set_end(&log->head, BOOTLOG_PANIC);
    log->job = (struct executor_job){.run = run_keep};
    executor_submit(log->logs->files, NULL, &log->job);
}

/* Has its prober come to an end, or is it too late for it? */
static bool
is_over(struct lastlog *log, uint64_t now_us)
{
    if (tries_take(log->client, &log->outcome))
        return true;
    if (now_us < log->until_us)
        return false;
    log->outcome.fault = TRIES_HUNG;
    memctx_error_set(&log->outcome.why, MEMCTX_RETRY,
                     "no prober had read it in time");
    return true;
}

/* Those that are over; the others stay. With the lock held. */
static struct lastlog *
take_ended(struct lastlogs *logs)
{
    struct lastlog *ended = NULL;
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    for (struct lastlog **at = &logs->first; *at != NULL;) {
        struct lastlog *log = *at;
        if (!is_over(log, now_us)) {
            at = &log->next;
            continue;
        }
        *at = log->next;
        log->next = ended;
        ended = log;
    }
    return ended;
}

/* In milliseconds, for poll(2). With the lock held. */
static int
time_to_wait(const struct lastlogs *logs)
{
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    uint64_t until_us = UINT64_MAX;
    for (const struct lastlog *log = logs->first; log != NULL; log = log->next)
        until_us = memctx_min(until_us, log->until_us);
    if (until_us == UINT64_MAX)
        return -1;
    return (int)((until_us - memctx_min(now_us, until_us)) / 1000) + 1;
}

static void *
run(void *arg)
{
    struct lastlogs *logs = arg;
    struct pollfd fd = {.fd = logs->wake, .events = POLLIN};
    pthread_mutex_lock(&logs->lock);
    while (!logs->stopping || logs->first != NULL) {
        int wait_ms = time_to_wait(logs);
        eventfd_t ignored;
        pthread_mutex_unlock(&logs->lock);
        if (poll(&fd, 1, wait_ms) > 0)
            eventfd_read(logs->wake, &ignored);
        pthread_mutex_lock(&logs->lock);
        struct lastlog *ended = take_ended(logs);
        pthread_mutex_unlock(&logs->lock);
        for (struct lastlog *next; ended != NULL; ended = next) {
            next = ended->next;
            finish(ended);
        }
        pthread_mutex_lock(&logs->lock);
    }
    pthread_mutex_unlock(&logs->lock);
    return NULL;
}

/* ---- taking -------------------------------------------------------------- */

static void
fill_head(const struct record *record, enum bootlog_end end,
          struct bootlog *ret)
{
    const struct memctx_kernel *kernel = &record->datum.kernel;
    struct tm tm;
    time_t now = time(NULL);
    snprintf(ret->domain, sizeof(ret->domain), "%s", record->name);
    memcpy(ret->uuid, record->uuid, sizeof(ret->uuid));
    ret->run = record->run.instance;
    ret->generation = record->datum.generation;
    snprintf(ret->kernel, sizeof(ret->kernel), "%s %s",
             memctx_os_name(kernel->os), kernel->version);
    strftime(ret->ended, sizeof(ret->ended), "%Y-%m-%dT%H:%M:%SZ",
             gmtime_r(&now, &tm));
    set_end(ret, end);
}

static char *
make_path(const struct lastlogs *logs, const struct bootlog *head)
{
    char name[BOOTLOG_NAME_SIZE];
    char *path;
    bootlog_name(head, name);
    return asprintf(&path, "%s/%s", logs->dir, name) < 0 ? NULL : path;
}

static struct lastlog *
create(struct lastlogs *logs, const struct record *record, enum bootlog_end end)
{
    const struct settings *s = logs->means.settings;
    struct lastlog *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return NULL;
    pthread_mutex_init(&log->lock, NULL);
    clocks_init_cond(&log->changed);
    log->file = (struct hooks_file){await_file, drop_file};
    log->logs = logs;
    log->references = 1;
    log->bounds =
        (struct bootdir_bounds){s->keep_logs, s->keep_logs_mib * MEMCTX_MIB};
    log->until_us = clocks_us(CLOCK_MONOTONIC) + WAIT_US * s->patience;
    log->fd = memfd_create("memctx-log", MFD_CLOEXEC);
    fill_head(record, end, &log->head);
    log->path = make_path(logs, &log->head);
    if (log->fd >= 0 && log->path != NULL &&
        tries_join(logs->means.tries, logs->wake, &log->client, NULL) == 0)
        return log;
    lastlog_drop(log);
    return NULL;
}

/* It gets this RAM, and what is known of this kernel. */
static void
ask(struct lastlog *log, const struct record *record)
{
    const struct memctx_probe_request request = {
        .task = MEMCTX_PROBE_KEEP_LOG,
        .budget_bytes = LINES_BYTES,
        .has_kernel = true,
        .kernel = record->datum.kernel,
    };
    tries_set_ram(log->client, &record->map, 1);
    tries_set_output(log->client, log->fd, LINES_BYTES);
    tries_ask(log->client, &request, TRIES_LAST);
}

/* The threads are started for the first one: most agents keep none. */
static bool
is_ready(struct lastlogs *logs)
{
    if (logs->files == NULL && executor_create(1, 0, &logs->files, NULL) < 0)
        return false;
    if (!logs->started)
        logs->started = thread_start(&logs->thread, run, logs) == 0;
    return logs->started;
}

struct lastlog *
lastlogs_take(struct lastlogs *logs, const struct record *record,
              enum bootlog_end end)
{
    if (logs->means.settings->keep_logs == 0 || !is_ready(logs))
        return NULL;
    struct lastlog *log = create(logs, record, end);
    if (log == NULL)
        return NULL;
    ask(log, record);
    share(log);
    pthread_mutex_lock(&logs->lock);
    log->next = logs->first;
    logs->first = log;
    pthread_mutex_unlock(&logs->lock);
    eventfd_write(logs->wake, 1);
    return log;
}

/* ---- all ----------------------------------------------------------------- */

static void
deallocate(struct lastlogs *logs)
{
    memctx_close_fd(&logs->wake);
    trouble_deinit(&logs->failing);
    pthread_mutex_destroy(&logs->lock);
    free(logs->dir);
    free(logs);
}

int
lastlogs_create(const struct lastlogs_means *means, struct lastlogs **ret,
                struct memctx_error *err)
{
    struct lastlogs *logs = calloc(1, sizeof(*logs));
    if (logs == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    logs->means = *means;
    pthread_mutex_init(&logs->lock, NULL);
    trouble_init(&logs->failing, LOG_KIND_NOT_KEPT, 4);
    logs->dir = strdup(means->dir);
    logs->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (logs->dir == NULL || logs->wake < 0) {
        deallocate(logs);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no means to keep logs of kernels");
    }
    *ret = logs;
    return 0;
}

void
lastlogs_destroy(struct lastlogs *logs)
{
    if (logs == NULL)
        return;
    pthread_mutex_lock(&logs->lock);
    logs->stopping = true;
    pthread_mutex_unlock(&logs->lock);
    eventfd_write(logs->wake, 1);
    if (logs->started)
        pthread_join(logs->thread, NULL);
    /* What a file system does not let go of is left to it. */
    if (executor_destroy(logs->files, EXECUTOR_DRAIN, WRITE_WAIT_MS))
        deallocate(logs);
}
