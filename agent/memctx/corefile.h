/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An ELF core of a guest's memory as bytes: any part of it, or all of it in a
 * file. */
#ifndef MEMCTX_COREFILE_H
#define MEMCTX_COREFILE_H

#include <limits.h>
#include <stdbool.h>

#include "export/elfcore.h"
#include "base/error.h"
#include "memctx/progress.h"
#include "memctx/subject.h"

/* The header for this subject, which must outlive it. The caller destroys
 * it. */
int corefile_create(const struct subject *subject, struct memctx_elfcore **ret,
                    struct memctx_error *err);

/* Read [offset, offset + len) of the core, cut at its end. Bytes read, or -1
 * as subject_read(). */
ssize_t corefile_read(const struct memctx_elfcore *core,
                      const struct subject *subject, uint64_t offset, void *buf,
                      size_t len, struct memctx_error *err);

/* A core that is written. */
struct corefile {
    const char *path;    /* NULL: it is written to a stream */
    char part[PATH_MAX]; /* its name until it is complete */
    int fd;
    bool is_stream; /* it is written from its beginning to its end */
    struct progress progress;
    uint64_t written_bytes; /* by corefile_fill(); the rest are holes */
};

/* Make an empty file, mode 0600, beside `path`, which must outlive *ret. -1
 * with PERMANENT: there can be none, or `path` is there and no regular file. */
int corefile_begin(const char *path, struct corefile *ret,
                   struct memctx_error *err);

/* Write to a descriptor that may be a pipe, which stays the caller's. -1 with
 * PERMANENT: it is a terminal. */
int corefile_begin_stream(int fd, struct corefile *ret,
                          struct memctx_error *err);

/* Write all of the core into it. In a file pages that are zero are left out as
 * holes. To be called in a sandbox in which the descriptor is SANDBOX_STORE. -1
 * with PERMANENT: cannot write; else as subject_check(). */
int corefile_fill(struct corefile *file, const struct memctx_elfcore *core,
                  const struct subject *subject, struct memctx_error *err);

/* If it is complete, let it take the place of what was there before; else
 * remove it. Nothing else is left, also on failure. -1 with PERMANENT: cannot
 * write or rename. */
int corefile_end(struct corefile *file, bool is_complete,
                 struct memctx_error *err);

#endif
