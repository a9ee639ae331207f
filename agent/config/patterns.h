/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which domains are watched: the patterns of the key domains, see
 * memctxd.conf(5). */
#ifndef MEMCTXD_PATTERNS_H
#define MEMCTXD_PATTERNS_H

#include <stdbool.h>

#include "base/error.h"

#define PATTERNS_MAX 64
#define PATTERN_MAX 160 /* bytes of a pattern, with the NUL */

/* A value, part of the settings. */
struct patterns {
    unsigned n;
    struct pattern {
        bool excludes;
        char text[PATTERN_MAX]; /* fnmatch(3), over names and UUIDs */
    } pattern[PATTERNS_MAX];
};

/* Add the pattern that this text is; "!" in front: it excludes. -1 with
 * PERMANENT: what is wrong with it, and *patterns is as before. */
int patterns_add(struct patterns *patterns, const char *text,
                 struct memctx_error *err);

/* Is a domain of this name and UUID watched? Not if a pattern excludes it; else
 * if another names it, or none of them names any. */
bool patterns_admit(const struct patterns *patterns, const char *name,
                    const char *uuid);

#endif
