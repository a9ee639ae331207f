/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An ELF core of a guest's memory as bytes: any part of it, or all of it in a
 * file. */
#ifndef MEMCTX_COREFILE_H
#define MEMCTX_COREFILE_H

#include "export/elfcore.h"
#include "base/error.h"
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

/* Write all of it to `path`, mode 0600, in place of what was there before.
 * Pages that are zero are left out as holes. What there was stays until all is
 * written; on failure, also by SIGINT, SIGTERM or SIGHUP, nothing new is left.
 * -1 with PERMANENT: cannot write, or a signal; else as subject_check(). */
int corefile_write(const struct memctx_elfcore *core,
                   const struct subject *subject, const char *path,
                   struct memctx_error *err);

#endif
