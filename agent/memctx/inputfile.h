/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Files that a user names and that are read as a whole. */
#ifndef MEMCTX_INPUTFILE_H
#define MEMCTX_INPUTFILE_H

#include <stddef.h>

#include "base/error.h"

/* Read a file of at most max_bytes; "-" is standard input. 0 and its bytes,
 * which the caller frees, or -1 with PERMANENT: it cannot be read, or is
 * longer. */
int inputfile_read(const char *path, size_t max_bytes, char **ret,
                   size_t *len_bytes, struct memctx_error *err);

#endif
