/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A queue in front of the starter (starter.h), which starts programs one after
 * the other, on a thread that holds no capability and no descriptor of anybody
 * else, and lives as long as the agent.
 *
 * Capabilities belong to a thread, and a child gets those of the thread that
 * started it. That thread gives up all of them, and any way to get some
 * (no_new_privs), before its first child; so no program that the agent starts
 * has any, while other threads keep theirs. Why it must have descriptors of its
 * own and outlive its children is told in starter.h. */
#ifndef MEMCTXD_SPAWNER_H
#define MEMCTXD_SPAWNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "common/executor.h"
#include "sandbox/starter.h"

struct spawner;

#define SPAWNER_FDS STARTER_FDS

/* One program to start. The submitter embeds and owns it; it and what it points
 * to must stay until done() has been called, which may free it. */
struct spawner_request {
    struct executor_job job; /* first; the spawner's, as the next one */
    struct spawner *spawner;
    const char *path;  /* absolute */
    char *const *argv; /* argv[0] included; ends with NULL */
    char *const *envp; /* its whole environment; ends with NULL */
    /* What becomes its descriptors 0 to 3; they stay the submitter's. -1:
     * /dev/null, and no descriptor 3. It gets no other. */
    int fds[SPAWNER_FDS];
    bool leads_group; /* a process group of its own, which can be killed */
    /* Called once, on a thread of the spawner, which it must not hold up. */
    void (*done)(struct spawner_request *request);
    void *arg; /* done()'s */

    /* The answer, valid from done() on. */
    int failed; /* 0, or an errno value: it was not started */
    pid_t pid;  /* the submitter's child from now on: to be reaped */
    int pidfd;  /* readable once it has ended; the submitter closes it. Where
                   there is no pidfd_open(2), which is under valgrind 3.19, an
                   eventfd(2) that does the same. */
};

/* Before anybody can hand in a file, see starter.h. -1 with EXHAUSTED: no
 * threads to be had; BUG: as starter_create(). */
int spawner_create(struct spawner **ret, struct memctx_error *err);

/* The same, and modes_guard() for the calling thread and all that come after
 * it, the spawner's own among them. Only the thread that starts programs is
 * older, and it has no capability: so a hook may give its files any mode.
 * -1 also as modes_guard(). */
int spawner_create_guarded(struct spawner **ret, struct memctx_error *err);

/* Answer what is queued, then end the threads; children that asked for it get
 * their parent-death signal. Waits for wait_ms at most, or EXECUTOR_NO_LIMIT.
 * True: all is freed. False: a program's own file may be of a file system that
 * does not answer; the spawner and the requests must stay, and are answered
 * when it does. It may be called again then. NULL is fine. The thread that
 * created it. */
bool spawner_destroy(struct spawner *spawner, uint64_t wait_ms);

/* Queue a request. Signals are at their defaults in the program and none is
 * blocked; its directory is /. Does not wait. Any thread. */
void spawner_submit(struct spawner *spawner, struct spawner_request *request);

/* The same, and wait until it was started, or was not: request->failed. done
 * and arg are not used. Any thread but the event loop's. */
void spawner_start(struct spawner *spawner, struct spawner_request *request);

/* Has the child ended? Then it is gone and *status is as by waitpid(2), or -1
 * if somebody else reaped it. Does not wait. Any thread. */
bool spawner_reap(pid_t pid, int *status);

#endif
