/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lets a child do the part of a command that reads guest memory, where
 * something is left to be done afterwards that a sandbox forbids: to rename a
 * file, to unmount a file system. */
#ifndef MEMCTX_APART_H
#define MEMCTX_APART_H

#include <signal.h>

#include "base/error.h"
#include "common/exitcode.h"

/* SIGINT, SIGTERM, SIGHUP, and SIGCHLD. */
void apart_signals(sigset_t *ret);

/* Block them: from here on they are waited for, so that what was made can be
 * removed. */
void apart_hold_signals(void);

typedef enum exit_code apart_fn(void *arg);

/* Call run(arg) in a child, which exits with what it returns, and wait for it.
 * It dies when this process does. SIGINT, SIGTERM and SIGHUP end it, too, and
 * stay blocked here, so that what is left to be done is done.
 *
 * 0 and the exit code; 1: it was interrupted, or nobody reads what it writes
 * (SIGPIPE), and *ret tells the signal; or -1 with PERMANENT: it was ended by
 * another signal of its own; EXHAUSTED: there is no process to be had. */
int apart_run(apart_fn *run, void *arg, enum exit_code *ret,
              struct memctx_error *err);

#endif
