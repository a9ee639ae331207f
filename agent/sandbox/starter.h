/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A thread that starts programs, with no capability and with a descriptor table
 * of its own.
 *
 * A child begins with a copy of the descriptor table of the thread that starts
 * it, and closes what is not its own before it becomes the program. Each of
 * these closes asks the file's system, and a client may have handed in a file
 * whose system never answers (FUSE). Then neither child nor thread, which waits
 * for it as vfork(2) does, would ever go on. So this thread's table holds
 * standard input, output and error, its end of a socket, and what comes through
 * that for one program at a time; nothing that is opened elsewhere in the
 * process is ever in it.
 *
 * A parent-death signal (PR_SET_PDEATHSIG) follows the thread and not the
 * process, so the thread must outlive its children. */
#ifndef MEMCTXD_STARTER_H
#define MEMCTXD_STARTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct starter;

#define STARTER_FDS 4

struct starter_program {
    const char *path;  /* absolute */
    char *const *argv; /* argv[0] included; ends with NULL */
    char *const *envp; /* its whole environment; ends with NULL */
    /* What becomes its descriptors 0 to 3; they stay the caller's. -1:
     * /dev/null, and no descriptor 3. It gets no other. */
    int fds[STARTER_FDS];
    bool leads_group; /* a process group of its own, which can be killed */
};

/* What others have open now is closed in the thread's table when this returns.
 * So it must be called before anybody can hand in a file. -1 with EXHAUSTED: no
 * thread or socket; BUG: the kernel, or a filter of system calls, refuses the
 * thread its table, or to give up capabilities. */
int starter_create(struct starter **ret, struct memctx_error *err);

/* End the thread; children that asked for it get their parent-death signal.
 * NULL is fine. */
void starter_destroy(struct starter *starter);

/* Start a program and wait until it runs; how long that takes is up to the file
 * system that it is on. Signals are at their defaults in it and none is
 * blocked; its directory is /. 0 and *pid, a child to be reaped; or an errno
 * value. Any thread, one at a time. */
int starter_start(struct starter *starter,
                  const struct starter_program *program, pid_t *pid);

#endif
