/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Logs of kernels that have ended, which are taken while RAM still has them.
 *
 * When a guest is reset, its RAM stays as it is until firmware and the next
 * kernel overwrite it, which takes them some hundred milliseconds at least. So
 * a prober is started at once, of its own and with a hold on that RAM, which
 * writes the log of the kernel that was known, at the place that was known. It
 * has a second. Nobody waits for it: neither the withdrawal of the datum, nor
 * the search for the next kernel. What it wrote goes into a file as it is,
 * behind a head of our own; nothing in memctxd looks at it. */
#ifndef MEMCTXD_LASTLOGS_H
#define MEMCTXD_LASTLOGS_H

#include "config/settings.h"
#include "publish/hooks.h"
#include "record/state.h"
#include "tries/tries.h"

struct lastlogs;
struct lastlog; /* of one kernel */

struct lastlogs_means {
    struct tries *tries; /* must outlive the logs */
    const struct settings
        *settings; /* how many are kept; 0: nothing is taken */
    const struct log *log;
    const char *dir; /* where they are kept; made when it is needed; copied */
};

/* Starts nothing before the first log is taken. -1 with EXHAUSTED. */
int lastlogs_create(const struct lastlogs_means *means, struct lastlogs **ret,
                    struct memctx_error *err);

/* Wait for what is being taken, some seconds at most. NULL is fine. */
void lastlogs_destroy(struct lastlogs *logs);

/* Take the log of a record's kernel, whose datum and RAM it still has. The
 * caller drops what is returned; NULL: nothing is taken. Loop thread. */
struct lastlog *lastlogs_take(struct lastlogs *logs,
                              const struct record *record,
                              enum bootlog_end end);

/* Its kernel runs on: it is not to be kept. Loop thread. */
void lastlog_undo(struct lastlog *log);

/* For hooks, who drop it. NULL: NULL. */
struct hooks_file *lastlog_for_hooks(struct lastlog *log);

/* NULL is fine. Any thread. */
void lastlog_drop(struct lastlog *log);

#endif
