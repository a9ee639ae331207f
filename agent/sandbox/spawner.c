/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A queue of programs to start, and what to watch each by; knows none of them.
 * The starter's thread starts them. The queue's thread opens descriptors of
 * children and calls done(): it has the descriptors that all others have. */
#include "sandbox/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "common/executor.h"
#include "common/thread.h"
#include "sandbox/modes.h"
#include "sandbox/starter.h"

struct spawner {
    struct executor *executor; /* of one thread, which waits for the starter */
    struct starter *starter;
};

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
open_watch(struct spawner_request *request)
{
    request->pidfd = open_pidfd(request->pid);
    if (request->pidfd >= 0)
        return;
    request->failed = errno;
    kill(request->pid, SIGKILL);
    waitpid(request->pid, NULL, 0);
    request->pid = -1;
}

static void
answer(struct executor_job *job)
{
    struct spawner_request *request = (struct spawner_request *)job;
    struct starter_program program = {
        .path = request->path,
        .argv = request->argv,
        .envp = request->envp,
        .leads_group = request->leads_group,
    };
    memcpy(program.fds, request->fds, sizeof(program.fds));
    request->pid = -1;
    request->pidfd = -1;
    request->failed =
        starter_start(request->spawner->starter, &program, &request->pid);
    if (request->failed == 0)
        open_watch(request);
    request->done(request);
}

static int
create(bool guarded, struct spawner **ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct spawner *spawner = calloc(1, sizeof(*spawner));
    if (spawner == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (starter_create(&spawner->starter, err) < 0)
        return -1;
    if ((guarded && modes_guard(err) < 0) ||
        executor_create(1, 0, &spawner->executor, err) < 0) {
        starter_destroy(spawner->starter);
        return -1;
    }
    *ret = memctx_steal_ptr(&spawner);
    return 0;
}

int
spawner_create(struct spawner **ret, struct memctx_error *err)
{
    return create(false, ret, err);
}

int
spawner_create_guarded(struct spawner **ret, struct memctx_error *err)
{
    return create(true, ret, err);
}

bool
spawner_destroy(struct spawner *spawner, uint64_t wait_ms)
{
    if (spawner == NULL)
        return true;
    if (!executor_destroy(spawner->executor, EXECUTOR_DRAIN, wait_ms))
        return false;
    starter_destroy(spawner->starter);
    free(spawner);
    return true;
}

void
spawner_submit(struct spawner *spawner, struct spawner_request *request)
{
    request->job = (struct executor_job){.run = answer};
    request->spawner = spawner;
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
    while (sem_wait(&answered) < 0)
        ; /* interrupted */
    sem_destroy(&answered);
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
