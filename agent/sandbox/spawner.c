/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An executor of one thread; knows none of the programs that it starts. */
#include "sandbox/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "common/executor.h"
#include "common/thread.h"
#include "sandbox/capabilities.h"

struct spawner {
    struct executor *executor; /* of one thread */
};

/* Default signals, none blocked. */
static void
set_attributes(posix_spawnattr_t *attributes, bool leads_group)
{
    sigset_t none;
    sigset_t all;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setpgroup(attributes, 0);
    if (leads_group)
        flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(attributes, flags);
}

/* A descriptor that must become another one moves out of the way of all four
 * first: the child puts them in place one after the other. 0 or an errno
 * value. */
static int
move_away(int from, int to, int *moved)
{
    if (from < 0 || from == to || from >= SPAWNER_FDS)
        return 0;
    *moved = fcntl(from, F_DUPFD_CLOEXEC, SPAWNER_FDS);
    return *moved < 0 ? errno : 0;
}

/* 0 or an errno value. */
static int
add_descriptor(posix_spawn_file_actions_t *actions, int from, int to)
{
    if (from >= 0)
        return posix_spawn_file_actions_adddup2(actions, from, to);
    if (to < 3)
        return posix_spawn_file_actions_addopen(actions, to, "/dev/null",
                                                O_RDWR, 0);
    return 0;
}

/* The rest closes at execve(2), unless a library has forgotten to say so. */
static int
close_rest(posix_spawn_file_actions_t *actions, int from)
{
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    return posix_spawn_file_actions_addclosefrom_np(actions, from);
#else
    (void)actions;
    (void)from;
    return 0;
#endif
}

/* 0 or an errno value. `moved` are for the caller to close. */
static int
set_actions(posix_spawn_file_actions_t *actions,
            const struct spawner_request *request, int moved[SPAWNER_FDS])
{
    int failed = posix_spawn_file_actions_addchdir_np(actions, "/");
    for (int to = 0; to < SPAWNER_FDS && failed == 0; to++) {
        failed = move_away(request->fds[to], to, &moved[to]);
        if (failed == 0)
            failed = add_descriptor(
                actions, moved[to] >= 0 ? moved[to] : request->fds[to], to);
    }
    if (failed == 0)
        failed = close_rest(actions, request->fds[3] < 0 ? 3 : SPAWNER_FDS);
    return failed;
}

static int
spawn(struct spawner_request *request)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int moved[SPAWNER_FDS] = {-1, -1, -1, -1};
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    posix_spawnattr_init(&attributes);
    set_attributes(&attributes, request->leads_group);
    failed = set_actions(&actions, request, moved);
    if (failed == 0)
        failed = posix_spawn(&request->pid, request->path, &actions,
                             &attributes, request->argv, request->envp);
    for (unsigned i = 0; i < SPAWNER_FDS; i++)
        memctx_cleanup_fd(&moved[i]);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

struct vigil {
    pid_t pid;
    int fd;
};

/* Leaves the child to be waited for. */
static void *
watch_child(void *arg)
{
    struct vigil *vigil = arg;
    siginfo_t info;
    while (waitid(P_PID, (id_t)vigil->pid, &info, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR)
        ;
    eventfd_write(vigil->fd, 1);
    close(vigil->fd);
    free(vigil);
    return NULL;
}

/* Where the kernel, or valgrind in its place, has no pidfd_open(2), a thread
 * waits for the child. */
static int
open_eventfd(pid_t pid)
{
    pthread_t thread;
    struct vigil *vigil = malloc(sizeof(*vigil));
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = eventfd(0, EFD_CLOEXEC);
    if (vigil == NULL || fd < 0 ||
        (vigil->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
        free(vigil);
        return -1;
    }
    vigil->pid = pid;
    if (thread_start(&thread, watch_child, vigil) != 0) {
        close(vigil->fd);
        free(vigil);
        return -1;
    }
    pthread_detach(thread);
    return memctx_steal_fd(&fd);
}

static int
open_pidfd(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 && errno == ENOSYS ? open_eventfd(pid) : fd;
}

/* A child that nobody could watch is none. */
static void
answer(struct executor_job *job)
{
    struct spawner_request *request = (struct spawner_request *)job;
    request->pid = -1;
    request->pidfd = -1;
    request->failed = spawn(request);
    if (request->failed == 0 &&
        (request->pidfd = open_pidfd(request->pid)) < 0) {
        request->failed = errno;
        kill(request->pid, SIGKILL);
        waitpid(request->pid, NULL, 0);
        request->pid = -1;
    }
    request->done(request);
}

/* The first job of the thread. */
struct preparation {
    struct executor_job job; /* first */
    sem_t done;
    int failed;
    struct memctx_error err;
};

static void
prepare(struct executor_job *job)
{
    struct preparation *preparation = (struct preparation *)job;
    preparation->failed = capabilities_drop(&preparation->err);
    sem_post(&preparation->done);
}

static void
wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0)
        ; /* interrupted */
    sem_destroy(semaphore);
}

static int
give_up_capabilities(struct executor *executor, struct memctx_error *err)
{
    struct preparation preparation = {.job = {.run = prepare}};
    sem_init(&preparation.done, 0, 0);
    executor_submit(executor, NULL, &preparation.job);
    wait_for(&preparation.done);
    if (preparation.failed < 0)
        return memctx_error_set(err, MEMCTX_BUG, "%s", preparation.err.message);
    return 0;
}

int
spawner_create(struct spawner **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct spawner *spawner = calloc(1, sizeof(*spawner));
    if (spawner == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (executor_create(1, 0, &spawner->executor, err) < 0)
        return -1;
    if (give_up_capabilities(spawner->executor, err) < 0) {
        executor_destroy(spawner->executor, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT);
        return -1;
    }
    *ret = memctx_steal_ptr(&spawner);
    return 0;
}

void
spawner_destroy(struct spawner *spawner)
{
    if (spawner == NULL)
        return;
    executor_destroy(spawner->executor, EXECUTOR_DRAIN, EXECUTOR_NO_LIMIT);
    free(spawner);
}

void
spawner_submit(struct spawner *spawner, struct spawner_request *request)
{
    request->job = (struct executor_job){.run = answer};
    executor_submit(spawner->executor, NULL, &request->job);
}

static void
post(struct spawner_request *request)
{
    sem_post(request->arg);
}

void
spawner_start(struct spawner *spawner, struct spawner_request *request)
{
    struct spawner_request mine = *request;
    sem_t answered;
    sem_init(&answered, 0, 0);
    mine.done = post;
    mine.arg = &answered;
    spawner_submit(spawner, &mine);
    wait_for(&answered);
    request->failed = mine.failed;
    request->pid = mine.pid;
    request->pidfd = mine.pidfd;
}

bool
spawner_reap(pid_t pid, int *status)
{
    pid_t ended;
    while ((ended = waitpid(pid, status, WNOHANG)) < 0 && errno == EINTR)
        ;
    if (ended < 0)
        *status = -1;
    return ended != 0;
}
