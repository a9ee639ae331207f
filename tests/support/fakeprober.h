/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The prober that does what its guest says, tests/fakeprober.c. */
#ifndef MEMCTX_TESTS_FAKEPROBER_H
#define MEMCTX_TESTS_FAKEPROBER_H

#include <stdio.h>
#include <stdlib.h>

#define FAKEPROBER_PATH_MAX 512

/* Its path, in the build tree (./run says which). */
static inline void
fakeprober_path(char path[FAKEPROBER_PATH_MAX])
{
    const char *dir = getenv("MEMCTX_BUILDDIR");
    snprintf(path, FAKEPROBER_PATH_MAX, "%s/tests/fakeprober",
             dir != NULL ? dir : ".");
}

#endif
