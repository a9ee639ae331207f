/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An ELF core of a guest's memory as a file in a directory, live: nothing is
 * copied. */
#ifndef MEMCTX_COREMOUNT_H
#define MEMCTX_COREMOUNT_H

#include "export/elfcore.h"
#include "base/error.h"
#include "memctx/subject.h"

/* Mount a file "core" on `dir` by FUSE and serve it until SIGINT, SIGTERM or
 * SIGHUP, until somebody unmounts it, or until the domain has left. A read
 * fails with EIO when another kernel runs there by now. Returns 0 after it was
 * unmounted, or -1 with PERMANENT: cannot mount, or built without libfuse3. */
int coremount_run(const struct memctx_elfcore *core,
                  const struct subject *subject, const char *dir,
                  struct memctx_error *err);

#endif
