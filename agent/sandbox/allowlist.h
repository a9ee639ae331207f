/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The system calls that are left to a process that parses guest bytes. */
#ifndef MEMCTXD_ALLOWLIST_H
#define MEMCTXD_ALLOWLIST_H

#include <stddef.h>

#include "base/error.h"
#include "sandbox/rules.h"

/* From now on, a system call of the calling thread that is not on the list ends
 * the process with SIGSYS. What writes and talks may do so on these
 * descriptors only. Needs no_new_privs. -1 with PERMANENT: the kernel has no
 * seccomp filters; EXHAUSTED: out of memory. */
int allowlist_load(const struct sandbox_fd *fds, size_t n_fds,
                   struct memctx_error *err);

#endif
