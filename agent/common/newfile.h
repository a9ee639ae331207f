/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Files that are replaced as a whole: who reads one sees all of one writing or
 * all of another. Any thread; may wait for the file system. */
#ifndef MEMCTXD_NEWFILE_H
#define MEMCTXD_NEWFILE_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Write these bytes, one part behind the other, into a file of this mode,
 * whatever the umask, and put it in the place of `name`. It is called `part`
 * until then; what was left of that name is removed. Both are in the directory,
 * or dirfd is AT_FDCWD. 0, or -1 with errno: nothing is left, and `name` is as
 * it was. */
int newfile_put(int dirfd, const char *part, const char *name, mode_t mode,
                const struct iovec *bytes, size_t n);

#endif
