/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes from a process, for good, all it does not need to parse guest bytes.
 * Whoever chose those bytes and takes the process over then has the CPU, some
 * memory, this guest's RAM to read and the socket to lie into. */
#ifndef MEMCTXD_SANDBOX_H
#define MEMCTXD_SANDBOX_H

#include "base/error.h"
#include "sandbox/rules.h"

/* Enter, once and for good. The process has one thread and has yet to see the
 * first guest byte; it has opened all it needs, and linked it (-z now). Every
 * descriptor that is not named in *sandbox is closed. From then on a system
 * call that is not on the list in allowlist.c, or a read outside the RAM, ends
 * it with SIGSYS; and it is killed when its parent ends.
 *
 * A program built with sanitizers or for coverage, or run by valgrind, keeps
 * its system calls, memory, descriptors and processes: their runtime needs more
 * than is left here. It says so on standard error.
 *
 * 0, or -1 when any part of it failed; then the process must end without a
 * look at the guest. PERMANENT: the kernel has no seccomp filters; BUG: more
 * than one thread, a bad descriptor, more pieces of RAM than a filter can hold,
 * or the parent is gone already; EXHAUSTED. *sandbox and what it points to stay
 * the caller's. */
int sandbox_enter(const struct sandbox *sandbox, struct memctx_error *err);

/* Make this process' memory nobody's business: no core file, and no ptrace or
 * /proc/PID/mem for other processes of the same user. For programs that hold
 * guest bytes or the right to read them; first thing in main(). Its own
 * /proc/self/fd stays open to it; files such as /proc/self/oom_score_adj
 * become root's. Not in a program built with AddressSanitizer, whose leak
 * check traces the process. */
void sandbox_hide_memory(void);

#endif
