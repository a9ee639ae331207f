/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Scope guards: a resource is released where its variable leaves the scope;
 * giving it away is spelled "steal". */
#ifndef MEMCTX_CLEANUP_H
#define MEMCTX_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MEMCTX_CLEANUP(function) __attribute__((cleanup(function)))

/* Close *fd unless it is -1; from then on it is. */
static inline void
memctx_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static inline void
memctx_cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void
memctx_cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void
memctx_cleanup_file(FILE *const *file)
{
    if (*file != NULL)
        fclose(*file);
}

static inline void
memctx_cleanup_dir(DIR *const *dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

/* Take the descriptor out of *fd, which becomes -1: the caller owns it. */
static inline int
memctx_steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Take the pointer out of *pointer, which becomes NULL. */
#define memctx_steal_ptr(pointer)                   \
    ({                                              \
        __typeof__(*(pointer)) taken_ = *(pointer); \
        *(pointer) = NULL;                          \
        taken_;                                     \
    })

#endif
