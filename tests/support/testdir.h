/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A directory for one test. */
#ifndef MEMCTX_TESTS_TESTDIR_H
#define MEMCTX_TESTS_TESTDIR_H

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static inline void
testdir_make(char dir[64])
{
    strcpy(dir, "/tmp/memctx-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static inline int
testdir_remove_entry(const char *path, const struct stat *st, int type,
                     struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

/* With all that is in it. A thread of an agent may put a file there, or take
 * one away, while this goes on. 0, or -1 with errno. */
static inline int
testdir_remove(const char *dir)
{
    int failed = -1;
    for (unsigned i = 0; i < 1000 && failed < 0; i++) {
        failed = nftw(dir, testdir_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        if (failed < 0 && errno != ENOTEMPTY)
            break;
    }
    return failed;
}

#endif
