/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Descriptors reach the thread through a socket, the rest through memory. No
 * other code may run on it: the same number is another file there. */
#include "sandbox/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "common/thread.h"
#include "sandbox/capabilities.h"
#include "sandbox/descriptors.h"
#include "wire/sockets.h"

struct starter {
    pthread_t thread;
    int socket; /* the caller's end */
    int theirs; /* the thread's end; a number of the thread's table */
    sem_t answered;
    /* One request at a time, the thread's until `answered`. */
    const struct starter_program *program;
    pid_t pid;
    int failed; /* an errno value, or 0 */
    /* The thread is ready; or it has ended, and this is why. */
    bool ready;
    struct memctx_error err;
};

/* The message has one byte: none would be the end. */
union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(STARTER_FDS * sizeof(int))];
};

/* ---- on the thread ------------------------------------------------------ */

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
move_away(int *fd)
{
    if (*fd < 0 || *fd >= STARTER_FDS)
        return 0;
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, STARTER_FDS);
    if (moved < 0)
        return errno;
    close(*fd);
    *fd = moved;
    return 0;
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

/* All others close at execve(2). 0 or an errno value. */
static int
set_actions(posix_spawn_file_actions_t *actions, int fds[STARTER_FDS])
{
    int failed = posix_spawn_file_actions_addchdir_np(actions, "/");
    for (int to = 0; to < STARTER_FDS && failed == 0; to++) {
        failed = move_away(&fds[to]);
        if (failed == 0)
            failed = add_descriptor(actions, fds[to], to);
    }
    return failed;
}

/* 0 or an errno value. */
static int
spawn(const struct starter_program *program, int fds[STARTER_FDS], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    posix_spawnattr_init(&attributes);
    set_attributes(&attributes, program->leads_group);
    failed = set_actions(&actions, fds);
    if (failed == 0)
        failed = posix_spawn(pid, program->path, &actions, &attributes,
                             program->argv, program->envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Wait for a request and take its descriptors. False: there will be none. */
static bool
receive(struct starter *s, int fds[STARTER_FDS], unsigned *n)
{
    char byte;
    union control control;
    struct iovec iov = {&byte, sizeof(byte)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    *n = 0;
    if (recvmsg(s->theirs, &message, MSG_CMSG_CLOEXEC) <= 0)
        return false;
    sockets_take_fds(&message, fds, STARTER_FDS, n);
    return true;
}

/* What came goes where the caller had it. Less came if the process may have no
 * more open (RLIMIT_NOFILE). 0 or an errno value. */
static int
arrange(const struct starter_program *program, const int *received, unsigned n,
        int fds[STARTER_FDS])
{
    unsigned next = 0;
    for (unsigned to = 0; to < STARTER_FDS; to++) {
        if (program->fds[to] < 0)
            continue;
        if (next < n)
            fds[to] = received[next];
        next++;
    }
    return next > n ? EMFILE : 0;
}

static void
answer(struct starter *s, const int *received, unsigned n)
{
    int fds[STARTER_FDS] = {-1, -1, -1, -1};
    s->failed = arrange(s->program, received, n, fds);
    if (s->failed == 0)
        s->failed = spawn(s->program, fds, &s->pid);
    for (unsigned i = 0; i < STARTER_FDS; i++)
        memctx_close_fd(&fds[i]);
    sem_post(&s->answered);
}

/* Leave the common table. The socket's end gets a number that no descriptor of
 * a program has. */
static int
leave(struct starter *s, struct memctx_error *err)
{
    if (descriptors_unshare(err) < 0)
        return -1;
    s->theirs = fcntl(s->theirs, F_DUPFD_CLOEXEC, STARTER_FDS);
    if (s->theirs < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no descriptor for a thread: %s",
                                strerror(errno));
    int kept[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, s->theirs};
    const struct descriptors few = {.kept = kept,
                                    .n_kept = sizeof(kept) / sizeof(kept[0])};
    return descriptors_close_others(&few, err);
}

/* Its table ends with it. */
static void *
run(void *arg)
{
    struct starter *s = arg;
    int received[STARTER_FDS];
    unsigned n;
    bool ready = leave(s, &s->err) == 0 && capabilities_drop(&s->err) == 0;
    s->ready = ready;
    sem_post(&s->answered);
    while (ready && receive(s, received, &n))
        answer(s, received, n);
    return NULL;
}

/* ---- on others ---------------------------------------------------------- */

static void
wait_for_answer(struct starter *s)
{
    while (sem_wait(&s->answered) < 0)
        ; /* interrupted */
}

static int
start_thread(struct starter *s, struct memctx_error *err)
{
    int failed = thread_start(&s->thread, run, s);
    if (failed != 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot start a thread: %s", strerror(failed));
    wait_for_answer(s);
    if (s->ready)
        return 0;
    pthread_join(s->thread, NULL);
    *err = s->err;
    return -1;
}

int
starter_create(struct starter **ret, struct memctx_error *err)
{
    int fds[2];
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct starter *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "no socket for a thread: %s", strerror(errno));
    MEMCTX_CLEANUP(memctx_cleanup_fd) int ours = fds[0];
    MEMCTX_CLEANUP(memctx_cleanup_fd) int theirs = fds[1];
    s->theirs = theirs;
    sem_init(&s->answered, 0, 0);
    if (start_thread(s, err) < 0) {
        sem_destroy(&s->answered);
        return -1;
    }
    s->socket = memctx_steal_fd(&ours);
    *ret = memctx_steal_ptr(&s);
    return 0;
}

void
starter_destroy(struct starter *s)
{
    if (s == NULL)
        return;
    shutdown(s->socket, SHUT_WR);
    pthread_join(s->thread, NULL);
    close(s->socket);
    sem_destroy(&s->answered);
    free(s);
}

/* 0 or an errno value. */
static int
submit(struct starter *s, const struct starter_program *program)
{
    int fds[STARTER_FDS];
    unsigned n = 0;
    char byte = 0;
    union control control;
    struct iovec iov = {&byte, sizeof(byte)};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    for (unsigned i = 0; i < STARTER_FDS; i++) {
        if (program->fds[i] >= 0)
            fds[n++] = program->fds[i];
    }
    sockets_put_fds(&message, control.bytes, fds, n);
    s->program = program;
    return sendmsg(s->socket, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
}

int
starter_start(struct starter *s, const struct starter_program *program,
              pid_t *pid)
{
    int failed = submit(s, program);
    if (failed != 0)
        return failed;
    wait_for_answer(s);
    if (s->failed == 0)
        *pid = s->pid;
    return s->failed;
}
