/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Calls all programs of the directory for one event of one domain. The executor
 * keeps the order: a domain's UUID is the key. */
#include "publish/hooks.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/uuid.h"
#include "common/executor.h"
#include "common/trouble.h"
#include "common/trust.h"
#include "publish/program.h"

#define THREADS_MAX 8
#define PROGRAMS_MAX 64
/* A domain whose programs do not keep up with its guest: what is oldest, and
 * no longer true anyhow, is told to nobody. */
#define WAITING_MAX 16

struct hooks {
    char *dir;
    _Atomic uint64_t timeout_ms;
    struct spawner *spawner;
    const struct log *log;
    struct executor *executor;
    struct trouble untrusted; /* the directory, or a program in it */
    struct trouble failing;   /* a program */
    struct trouble slow;      /* all programs of a domain */
};

static const char *const words[] = {
    [HOOKS_READY] = "ready",
    [HOOKS_SILENT] = "silent",
    [HOOKS_LOST] = "lost",
};
_Static_assert(MEMCTX_ARRAY_LEN(words) == HOOKS_WHATS, "each has a word");

/* One event to tell of. */
struct call {
    struct executor_job job; /* first */
    struct hooks *hooks;
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    enum hooks_what what;
    enum memctx_datum_live live;
    char *name;
    char *xml;
    unsigned generation;
    struct hooks_file *log;           /* NULL: none */
    char log_variable[12 + PATH_MAX]; /* "MEMCTX_LOG=PATH"; "": there is none */
};

static void
call_destroy(struct call *call)
{
    if (call == NULL)
        return;
    if (call->log != NULL)
        call->log->drop(call->log);
    free(call->name);
    free(call->xml);
    free(call);
}

static void
log_output(const char *line, void *arg)
{
    const struct log *const *log = arg;
    log_say(*log, LOG_LEVEL_INFO, LOG_KIND_HOOK_SAID, "hook: %s",
            LOG_QUOTE(line));
}

static bool
is_program(const char *name, const struct stat *st)
{
    return name[0] != '.' && S_ISREG(st->st_mode) && (st->st_mode & 0111) != 0;
}

/* May this entry of the directory be run? -1: no, and that is logged where
 * somebody will wonder. */
static int
check_program(struct hooks *hooks, int dirfd, const char *name)
{
    struct stat st;
    if (fstatat(dirfd, name, &st, 0) < 0 || !is_program(name, &st))
        return -1;
    /* These programs run as the agent's user. */
    if (trust_check(&st, TRUST_OURS_OR_ROOTS, name, NULL) == 0)
        return 0;
    trouble_strike(&hooks->untrusted, hooks->log, false,
                   "hook %s is not run: others than root and the agent's user "
                   "can write it",
                   name);
    return -1;
}

/* NULL for a kernel that runs. */
static const char *
live_variable(enum memctx_datum_live live)
{
    static const char *const variables[] = {
        [MEMCTX_LIVE_NO] = "MEMCTX_LIVE=no",
        [MEMCTX_LIVE_UNKNOWN] = "MEMCTX_LIVE=unknown",
    };
    return variables[live];
}

/* What every program gets, and its own; NULL ends it. */
static void
fill_environment(const struct call *call, char *uuid_variable, char *envp[6])
{
    size_t n = 0;
    const char *live = live_variable(call->live);
    envp[n++] = (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                        "/usr/bin:/sbin:/bin";
    envp[n++] = (char *)"LC_ALL=C";
    envp[n++] = uuid_variable;
    if (live != NULL)
        envp[n++] = (char *)live;
    if (call->log_variable[0] != '\0')
        envp[n++] = (char *)call->log_variable;
    envp[n] = NULL;
}

static void
run_program(const char *program, const struct call *call)
{
    const struct hooks *hooks = call->hooks;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char path[PATH_MAX];
    char generation[16];
    char uuid_variable[sizeof("MEMCTX_UUID=") + MEMCTX_UUID_TEXT_LEN];
    snprintf(path, sizeof(path), "%s/%s", hooks->dir, program);
    snprintf(generation, sizeof(generation), "%u", call->generation);
    snprintf(uuid_variable, sizeof(uuid_variable), "MEMCTX_UUID=%s",
             call->uuid);
    char *argv[] = {path, call->name, (char *)words[call->what], generation,
                    NULL};
    char *envp[6];
    fill_environment(call, uuid_variable, envp);
    const struct log *log = hooks->log;
    const struct program p = {.path = path,
                              .argv = argv,
                              .envp = envp,
                              .input = call->xml,
                              .timeout_ms = hooks->timeout_ms,
                              .line = log_output,
                              .line_arg = &log};
    if (program_run(hooks->spawner, &p, &err) < 0)
        trouble_strike(&call->hooks->failing, hooks->log, false,
                       "uuid=%s hook %s %s: %s", call->uuid, program, argv[2],
                       err.message);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in the directory, sorted; the caller frees each. */
static size_t
list_programs(struct hooks *hooks, int dirfd, char *names[PROGRAMS_MAX])
{
    size_t n = 0;
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MEMCTX_CLEANUP(memctx_cleanup_dir)
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;
    while (dir != NULL && n < PROGRAMS_MAX && (entry = readdir(dir)) != NULL) {
        if (check_program(hooks, dirfd, entry->d_name) == 0 &&
            (names[n] = strdup(entry->d_name)) != NULL)
            n++;
    }
    qsort(names, n, sizeof(names[0]), by_name);
    return n;
}

static void
run_programs(const struct call *call)
{
    struct hooks *hooks = call->hooks;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct stat st;
    char *names[PROGRAMS_MAX];
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int dirfd = open(hooks->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0 || fstat(dirfd, &st) < 0)
        return;
    if (trust_check_link(hooks->dir, &err) < 0 ||
        trust_check(&st, TRUST_OURS_OR_ROOTS, hooks->dir, &err) < 0) {
        trouble_strike(&hooks->untrusted, hooks->log, false,
                       "no hooks are run: %s", err.message);
        return;
    }
    size_t n = list_programs(hooks, dirfd, names);
    for (size_t i = 0; i < n; i++) {
        run_program(names[i], call);
        free(names[i]);
    }
}

/* The log of its kernel is being written while this call waits for its turn. */
static void
await_log(struct call *call)
{
    char path[PATH_MAX];
    if (call->log != NULL && call->log->await(call->log, path, sizeof(path)))
        snprintf(call->log_variable, sizeof(call->log_variable),
                 "MEMCTX_LOG=%s", path);
}

static void
run_call(struct executor_job *job)
{
    struct call *call = (struct call *)job;
    await_log(call);
    run_programs(call);
    call_destroy(call);
}

static void
drop_call(struct executor_job *job, struct executor_job *next)
{
    struct call *call = (struct call *)job;
    if (next != NULL)
        trouble_strike(&call->hooks->slow, call->hooks->log, false,
                       "uuid=%s hooks are too slow: an old event was dropped",
                       call->uuid);
    call_destroy(call);
}

int
hooks_create(const char *dir, uint64_t timeout_ms, struct spawner *spawner,
             const struct log *log, struct hooks **ret,
             struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct hooks *hooks = calloc(1, sizeof(*hooks));
    MEMCTX_CLEANUP(memctx_cleanup_free) char *copy = strdup(dir);
    if (hooks == NULL || copy == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (executor_create(THREADS_MAX, WAITING_MAX, &hooks->executor, err) < 0)
        return -1;
    trouble_init(&hooks->untrusted, LOG_KIND_HOOK_FAILED, 4);
    trouble_init(&hooks->failing, LOG_KIND_HOOK_FAILED, 8);
    trouble_init(&hooks->slow, LOG_KIND_HOOK_FAILED, 4);
    hooks->dir = memctx_steal_ptr(&copy);
    hooks->timeout_ms = timeout_ms;
    hooks->spawner = spawner;
    hooks->log = log;
    *ret = memctx_steal_ptr(&hooks);
    return 0;
}

void
hooks_set_timeout(struct hooks *hooks, uint64_t timeout_ms)
{
    atomic_store(&hooks->timeout_ms, timeout_ms);
}

bool
hooks_destroy(struct hooks *hooks, uint64_t wait_ms)
{
    if (hooks == NULL)
        return true;
    if (!executor_destroy(hooks->executor, EXECUTOR_DRAIN, wait_ms))
        return false;
    trouble_deinit(&hooks->untrusted);
    trouble_deinit(&hooks->failing);
    trouble_deinit(&hooks->slow);
    free(hooks->dir);
    free(hooks);
    return true;
}

int
hooks_run(struct hooks *hooks, const char *uuid, const char *name,
          enum hooks_what what, const struct memctx_datum *datum,
          struct hooks_file *log, struct memctx_error *err)
{
    struct call *call = calloc(1, sizeof(*call));
    if (call == NULL && log != NULL)
        log->drop(log);
    if (call != NULL)
        call->log = log;
    if (call == NULL || (call->name = strdup(name)) == NULL ||
        memctx_datum_to_xml(datum, MEMCTX_PRIVATE, &call->xml, err) < 0) {
        call_destroy(call);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    call->job = (struct executor_job){.run = run_call, .drop = drop_call};
    call->hooks = hooks;
    snprintf(call->uuid, sizeof(call->uuid), "%s", uuid);
    call->what = what;
    call->live = datum->live;
    call->generation = datum->generation;
    executor_submit(hooks->executor, uuid, &call->job);
    return 0;
}
