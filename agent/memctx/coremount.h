/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An ELF core of a guest's memory as a file in a directory, live: nothing is
 * copied. */
#ifndef MEMCTX_COREMOUNT_H
#define MEMCTX_COREMOUNT_H

#include "export/elfcore.h"
#include "base/error.h"
#include "memctx/subject.h"

struct coremount;

/* Mount a file "core" on `dir` by FUSE. Whoever looks at it waits until it is
 * served. -1 with PERMANENT: cannot mount, or built without libfuse3. The
 * caller ends it. */
int coremount_begin(const char *dir, struct coremount **ret,
                    struct memctx_error *err);

/* The descriptor by which it is served. */
int coremount_fd(const struct coremount *mount);

/* Serve it until somebody unmounts it, or until the domain has left. A read
 * fails with EIO when another kernel runs there by now. To be called in a
 * sandbox in which the descriptor is SANDBOX_SERVE. */
void coremount_serve(struct coremount *mount, const struct memctx_elfcore *core,
                     const struct subject *subject);

/* Unmount it, if nobody has yet. */
void coremount_end(struct coremount *mount);

#endif
