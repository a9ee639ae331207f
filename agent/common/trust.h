/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Whether others could have written a file or directory that the agent acts
 * by, and what to do about it. */
#ifndef MEMCTXD_TRUST_H
#define MEMCTXD_TRUST_H

#include <sys/stat.h>

#include "base/error.h"

/* Who may own it. */
enum trust {
    TRUST_OURS,          /* the agent's user */
    TRUST_OURS_OR_ROOTS, /* or root */
};

/* Refuse what belongs to somebody else, or what its group or others may write.
 * `path` is for the message, which names the cure. 0, or -1 with PERMANENT. Any
 * thread. */
int trust_check(const struct stat *st, enum trust trust, const char *path,
                struct memctx_error *err);

/* A symbolic link at the end of `path` must not be somebody else's, who could
 * lead it elsewhere. What it leads to is for trust_check(). 0 also if there is
 * no link, or nothing; -1 with PERMANENT. Any thread. */
int trust_check_link(const char *path, struct memctx_error *err);

#endif
