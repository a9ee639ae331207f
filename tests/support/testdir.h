/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A directory for one test. */
#ifndef MEMCTX_TESTS_TESTDIR_H
#define MEMCTX_TESTS_TESTDIR_H

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
    return remove(path);
}

/* With all that is in it. 0, or -1 with errno. */
static inline int
testdir_remove(const char *dir)
{
    return nftw(dir, testdir_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
