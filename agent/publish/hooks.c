/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One queue per domain; threads take domains in turn, so that a domain is with
 * one thread at a time. */
#include "publish/hooks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/uuid.h"
#include "wire/clocks.h"
#include "common/thread.h"
#include "publish/program.h"

#define THREADS_MAX 8
#define PROGRAMS_MAX 64
/* A domain whose programs do not keep up with its guest: what is oldest, and
 * no longer true anyhow, is told to nobody. */
#define QUEUED_MAX 16

struct call {
    struct call *next;
    enum hooks_what what;
    char *name;
    char *xml;
    unsigned generation;
};

struct line {
    struct line *next;
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    bool busy;
    unsigned n;
    struct call *first;
};

struct hooks {
    char *dir;
    uint64_t timeout_ms;
    const struct log *log;
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t changed;
    struct line *lines;
    bool stopping;
    unsigned n_idle;
    unsigned n_running; /* threads */
    unsigned n_threads;
    pthread_t threads[THREADS_MAX];
};

static void
call_destroy(struct call *call)
{
    if (call == NULL)
        return;
    free(call->name);
    free(call->xml);
    free(call);
}

static void
log_output(const char *line, void *arg)
{
    const struct log *const *log = arg;
    log_line(*log, LOG_LEVEL_INFO, "hook: %s", line);
}

/* Only what none but root and the agent's own user could have put there: these
 * programs have the agent's rights. */
static bool
is_ours(const struct stat *st)
{
    return (st->st_uid == geteuid() || st->st_uid == 0) &&
           (st->st_mode & 022) == 0;
}

static bool
is_program(int dirfd, const char *name, const struct log *log)
{
    struct stat st;
    if (name[0] == '.' || fstatat(dirfd, name, &st, 0) < 0 ||
        !S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
        return false;
    if (!is_ours(&st))
        log_line(log, LOG_LEVEL_WARNING,
                 "hook %s is not run: others than root and the agent's user "
                 "can write it",
                 name);
    return is_ours(&st);
}

static void
run_program(const struct hooks *hooks, const char *program,
            const struct call *call, const char *uuid)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char path[PATH_MAX];
    char generation[16];
    char uuid_variable[sizeof("MEMCTX_UUID=") + MEMCTX_UUID_TEXT_LEN];
    snprintf(path, sizeof(path), "%s/%s", hooks->dir, program);
    snprintf(generation, sizeof(generation), "%u", call->generation);
    snprintf(uuid_variable, sizeof(uuid_variable), "MEMCTX_UUID=%s", uuid);
    char *argv[] = {path, call->name,
                    (char *)(call->what == HOOKS_READY ? "ready" : "lost"),
                    generation, NULL};
    char *envp[] = {(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                            "/usr/bin:/sbin:/bin",
                    (char *)"LC_ALL=C", uuid_variable, NULL};
    const struct log *log = hooks->log;
    const struct program p = {.path = path,
                              .argv = argv,
                              .envp = envp,
                              .input = call->xml,
                              .timeout_ms = hooks->timeout_ms,
                              .line = log_output,
                              .line_arg = &log};
    if (program_run(&p, &err) < 0)
        log_line(hooks->log, LOG_LEVEL_WARNING, "uuid=%s hook %s %s: %s", uuid,
                 program, argv[2], err.message);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in the directory, sorted; the caller frees each. */
static size_t
list_programs(int dirfd, char *names[PROGRAMS_MAX], const struct log *log)
{
    size_t n = 0;
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_dir)
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;
    while (dir != NULL && n < PROGRAMS_MAX && (entry = readdir(dir)) != NULL) {
        if (is_program(dirfd, entry->d_name, log) &&
            (names[n] = strdup(entry->d_name)) != NULL)
            n++;
    }
    qsort(names, n, sizeof(names[0]), by_name);
    return n;
}

static void
run_call(const struct hooks *hooks, const struct call *call, const char *uuid)
{
    struct stat st;
    char *names[PROGRAMS_MAX];
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int dirfd = open(hooks->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0 || fstat(dirfd, &st) < 0)
        return;
    if (!is_ours(&st)) {
        log_line(hooks->log, LOG_LEVEL_WARNING,
                 "no hooks are run: others than root and the agent's user can "
                 "write %s",
                 hooks->dir);
        return;
    }
    size_t n = list_programs(dirfd, names, hooks->log);
    for (size_t i = 0; i < n; i++) {
        run_program(hooks, names[i], call, uuid);
        free(names[i]);
    }
}

/* A domain that has something to be told and nobody who tells it. */
static struct line *
pick_line(struct hooks *hooks)
{
    for (struct line *l = hooks->lines; l != NULL; l = l->next) {
        if (!l->busy && l->first != NULL)
            return l;
    }
    return NULL;
}

static void
remove_line(struct hooks *hooks, struct line *line)
{
    struct line **at = &hooks->lines;
    while (*at != line)
        at = &(*at)->next;
    *at = line->next;
    free(line);
}

static struct call *
take_call(struct line *line)
{
    struct call *call = line->first;
    line->first = call->next;
    line->n--;
    return call;
}

static void *run_thread(void *arg);

/* Unless one is free. Lock held. */
static void
start_thread(struct hooks *hooks)
{
    if (hooks->n_idle > 0 || hooks->n_threads == THREADS_MAX)
        return;
    hooks->n_running++;
    if (thread_start(&hooks->threads[hooks->n_threads], run_thread, hooks) == 0)
        hooks->n_threads++;
    else
        hooks->n_running--;
}

/* Lock held, but not while a program runs. */
static void
work_on(struct hooks *hooks, struct line *line)
{
    struct call *call = take_call(line);
    line->busy = true;
    if (pick_line(hooks) != NULL)
        start_thread(hooks);
    pthread_mutex_unlock(&hooks->lock);
    run_call(hooks, call, line->uuid);
    call_destroy(call);
    pthread_mutex_lock(&hooks->lock);
    line->busy = false;
    if (line->first == NULL)
        remove_line(hooks, line);
    pthread_cond_broadcast(&hooks->changed);
}

static void *
run_thread(void *arg)
{
    struct hooks *hooks = arg;
    pthread_mutex_lock(&hooks->lock);
    for (;;) {
        struct line *line = pick_line(hooks);
        if (line == NULL && hooks->stopping)
            break;
        if (line != NULL) {
            work_on(hooks, line);
            continue;
        }
        hooks->n_idle++;
        pthread_cond_wait(&hooks->changed, &hooks->lock);
        hooks->n_idle--;
    }
    hooks->n_running--;
    pthread_cond_broadcast(&hooks->changed);
    pthread_mutex_unlock(&hooks->lock);
    return NULL;
}

int
hooks_create(const char *dir, uint64_t timeout_ms, const struct log *log,
             struct hooks **ret, struct memctx_error *err)
{
    struct hooks *hooks = calloc(1, sizeof(*hooks));
    char *copy = strdup(dir);
    if (hooks == NULL || copy == NULL) {
        free(hooks);
        free(copy);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    pthread_mutex_init(&hooks->lock, NULL);
    clocks_init_cond(&hooks->changed);
    hooks->dir = copy;
    hooks->timeout_ms = timeout_ms;
    hooks->log = log;
    *ret = hooks;
    return 0;
}

/* Lock held. False: the time is over. */
static bool
wait_for_threads(struct hooks *hooks, uint64_t wait_ms)
{
    struct timespec until = clocks_deadline(wait_ms);
    while (hooks->n_running > 0) {
        if (pthread_cond_timedwait(&hooks->changed, &hooks->lock, &until) ==
            ETIMEDOUT)
            return hooks->n_running == 0;
    }
    return true;
}

void
hooks_destroy(struct hooks *hooks, uint64_t wait_ms)
{
    if (hooks == NULL)
        return;
    pthread_mutex_lock(&hooks->lock);
    hooks->stopping = true;
    pthread_cond_broadcast(&hooks->changed);
    bool ended = wait_for_threads(hooks, wait_ms);
    pthread_mutex_unlock(&hooks->lock);
    /* The process ends soon; its threads must find what they use until then. */
    if (!ended)
        return;
    for (unsigned i = 0; i < hooks->n_threads; i++)
        pthread_join(hooks->threads[i], NULL);
    pthread_cond_destroy(&hooks->changed);
    pthread_mutex_destroy(&hooks->lock);
    free(hooks->dir);
    free(hooks);
}

static struct line *
need_line(struct hooks *hooks, const char *uuid)
{
    for (struct line *l = hooks->lines; l != NULL; l = l->next) {
        if (strcmp(l->uuid, uuid) == 0)
            return l;
    }
    struct line *line = calloc(1, sizeof(*line));
    if (line == NULL)
        return NULL;
    snprintf(line->uuid, sizeof(line->uuid), "%s", uuid);
    line->next = hooks->lines;
    hooks->lines = line;
    return line;
}

static void
append(struct hooks *hooks, struct line *line, struct call *call)
{
    struct call **last = &line->first;
    if (line->n == QUEUED_MAX) {
        log_line(hooks->log, LOG_LEVEL_WARNING,
                 "uuid=%s hooks are too slow: an old event was dropped",
                 line->uuid);
        call_destroy(take_call(line));
    }
    while (*last != NULL)
        last = &(*last)->next;
    *last = call;
    line->n++;
}

int
hooks_run(struct hooks *hooks, const char *uuid, const char *name,
          enum hooks_what what, const struct memctx_datum *datum,
          struct memctx_error *err)
{
    struct call *call = calloc(1, sizeof(*call));
    if (call == NULL || (call->name = strdup(name)) == NULL ||
        memctx_datum_to_xml(datum, MEMCTX_PRIVATE, &call->xml, err) < 0) {
        call_destroy(call);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    call->what = what;
    call->generation = datum->generation;
    pthread_mutex_lock(&hooks->lock);
    struct line *line = need_line(hooks, uuid);
    if (line != NULL) {
        append(hooks, line, call);
        start_thread(hooks);
        pthread_cond_signal(&hooks->changed);
    }
    pthread_mutex_unlock(&hooks->lock);
    if (line == NULL) {
        call_destroy(call);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    return 0;
}
