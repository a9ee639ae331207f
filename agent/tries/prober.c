/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A socket and a process. */
#include "tries/prober.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "wire/clocks.h"

/* Large enough for the RAM of any guest, which may be sent before the prober is
 * there to take it. */
#define SEND_BYTES (1024 * 1024)

struct prober {
    struct spawner_request spawn; /* first: on_spawned() gets it */
    char *const *argv;
    int socket; /* ours */
    int theirs; /* until it has been started; else to the end */
    bool reaped;
    clockid_t clock; /* of its CPU time */
    void (*launched)(void *arg);
    void *arg;
};

/* It is told nothing by its environment, and by no argument. */
static char name[] = "memctx-prober";
static char *const arguments[] = {name, NULL};
static char *const environment[] = {NULL};

/* The keeper may ask before it knows that there is no program. If the socket
 * were closed by then, a prober that does not listen would be all it tells. */
static void
on_spawned(struct spawner_request *request)
{
    struct prober *p = (struct prober *)request;
    if (request->failed == 0) {
        close(memctx_steal_fd(&p->theirs));
        clock_getcpuclockid(request->pid, &p->clock);
    }
    p->launched(p->arg);
}

static int
open_sockets(struct prober *p, struct memctx_error *err)
{
    const int size = SEND_BYTES;
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return memctx_error_set(err, MEMCTX_RETRY, "no socket for a prober: %s",
                                strerror(errno));
    p->socket = fds[0];
    p->theirs = fds[1];
    /* It is cut to what the host allows, which is enough for nearly all. */
    setsockopt(p->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return 0;
}

int
prober_launch(struct spawner *spawner, const char *program,
              void (*launched)(void *arg), void *arg, struct prober **ret,
              struct memctx_error *err)
{
    struct prober *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    p->socket = -1;
    p->theirs = -1;
    p->launched = launched;
    p->arg = arg;
    p->spawn = (struct spawner_request){
        .path = program,
        .argv = arguments,
        .envp = environment,
        .done = on_spawned,
        .pid = -1,
        .pidfd = -1,
    };
    if (open_sockets(p, err) < 0) {
        prober_destroy(p);
        return -1;
    }
    const int fds[SPAWNER_FDS] = {-1, -1, -1, p->theirs};
    memcpy(p->spawn.fds, fds, sizeof(fds));
    *ret = p;
    spawner_submit(spawner, &p->spawn);
    return 0;
}

int
prober_equip(struct prober *p, const struct memctx_start *start,
             struct memctx_error *err)
{
    return memctx_start_send(p->socket, start, err);
}

int
prober_has_started(const struct prober *p, struct memctx_error *err)
{
    if (p->spawn.failed == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_RETRY, "%s cannot be started: %s",
                            p->spawn.path, strerror(p->spawn.failed));
}

void
prober_destroy(struct prober *p)
{
    if (p == NULL)
        return;
    memctx_close_fd(&p->socket);
    memctx_close_fd(&p->theirs);
    memctx_close_fd(&p->spawn.pidfd);
    free(p);
}

int
prober_socket(const struct prober *p)
{
    return p->socket;
}

int
prober_pidfd(const struct prober *p)
{
    return p->spawn.pidfd;
}

int
prober_ask(struct prober *p, const struct memctx_probe_request *request,
           struct memctx_error *err)
{
    ssize_t n =
        send(p->socket, request, sizeof(*request), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n != (ssize_t)sizeof(*request))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the prober does not listen: %s",
                                strerror(errno));
    return 0;
}

enum prober_heard
prober_hear(struct prober *p, void *bytes, size_t size, size_t *len)
{
    ssize_t n = recv(p->socket, bytes, size, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return PROBER_NOTHING;
    if (n <= 0)
        return PROBER_CLOSED;
    *len = (size_t)n;
    return PROBER_ANSWER;
}

uint64_t
prober_cpu_us(const struct prober *p)
{
    return p->clock == 0 || p->reaped ? 0 : clocks_us(p->clock);
}

void
prober_kill(struct prober *p)
{
    if (!p->reaped && p->spawn.pid > 0)
        kill(p->spawn.pid, SIGKILL);
}

static void
describe(int status, char *why, size_t size)
{
    if (status >= 0 && WIFSIGNALED(status))
        snprintf(why, size, "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (status >= 0 && WIFEXITED(status))
        snprintf(why, size, "ended with status %d", WEXITSTATUS(status));
    else
        snprintf(why, size, "ended");
}

bool
prober_reap(struct prober *p, char *why, size_t size)
{
    int status;
    if (p->reaped || p->spawn.pid <= 0 || !spawner_reap(p->spawn.pid, &status))
        return false;
    p->reaped = true;
    describe(status, why, size);
    return true;
}
