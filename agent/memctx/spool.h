/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A file without a name that takes what cannot be read at any place: a pipe, or
 * a dump that was written for one. */
#ifndef MEMCTX_SPOOL_H
#define MEMCTX_SPOOL_H

#include <stddef.h>

#include "base/error.h"

/* Both copy what `fd` has left to give, of which the caller has read len_bytes
 * already (`head`; up to a page), into a new file in TMPDIR (/var/tmp unless it
 * is set). Pages of zeros become holes. *ret is open for reading only; the
 * caller closes it. -1 with PERMANENT: cannot be read or written. */

/* ... as it comes; */
int spool_copy(int fd, const unsigned char *head, size_t len_bytes, int *ret,
               struct memctx_error *err);

/* ... of the flattened format of makedumpfile: each piece to its place. Also
 * PERMANENT: it is broken, or ends before its end mark. */
int spool_unflatten(int fd, const unsigned char *head, size_t len_bytes,
                    int *ret, struct memctx_error *err);

#endif
