/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The agent's files, one a domain. domains/<uuid>.xml is what libvirt hook
 * scripts, which may not call libvirt, read instead; runs/<uuid> is the agent's
 * own note. Written by rename, mode 0640. */
#ifndef MEMCTXD_STATEFILE_H
#define MEMCTXD_STATEFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/run.h"
#include "base/error.h"

/* Make DIR, DIR/domains (0755) and DIR/runs (0700) if need be and return a
 * descriptor of DIR/domains, which the caller closes. -1 with PERMANENT, also
 * when one of them is a symlink, another user's, or may be written by its group
 * or others; the message says which, and the cure. */
int statefile_open_dir(const char *dir, int *ret, struct memctx_error *err);

/* Lock it for this agent, until the descriptor is closed. -1 with STALE:
 * another one uses it. */
int statefile_lock_dir(const char *dir, int dirfd, struct memctx_error *err);

/* Are the two directories in DIR still those that dirfd was opened with?
 * Somebody may have removed or replaced them. */
bool statefile_is_in_place(const char *dir, int dirfd);

/* Make and lock them again, as above, and let dirfd refer to the new directory.
 * Threads that use dirfd at this moment get the old or the new one. The data in
 * the old one are removed. -1 as above: dirfd is then as it was. */
int statefile_replace_dir(const char *dir, int dirfd, struct memctx_error *err);

/* Remove the data that a killed agent left there, because nobody keeps them
 * true. Its counts stay. */
void statefile_clean(int dirfd);

/* Write or replace uuid's file. -1 with RETRY; the old file stands then. */
int statefile_write(int dirfd, const char *uuid, const char *text,
                    struct memctx_error *err);

/* Remove it, if it is there. */
void statefile_remove(int dirfd, const char *uuid);

/* Remember how far this run of domain uuid was counted. -1 with RETRY. */
int statefile_count(int dirfd, const char *uuid,
                    const struct statefile_run *run, struct memctx_error *err);

/* The note about this run. Without one: generation 0, kernel "". */
struct statefile_run statefile_counted(int dirfd, const char *uuid,
                                       uint64_t instance);

/* The run is over: remove both files. */
void statefile_forget(int dirfd, const char *uuid);

/* Forget all domains for which `is_known` says false. */
void statefile_forget_others(int dirfd,
                             bool (*is_known)(const char *uuid, void *arg),
                             void *arg);

#endif
