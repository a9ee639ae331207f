/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A new file beside the old one, and rename(2). */
#include "common/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "common/fileio.h"

static int
write_all(int fd, const struct iovec *bytes, size_t n)
{
    uint64_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        if (fileio_pwrite_all(fd, bytes[i].iov_base, bytes[i].iov_len, offset) <
            0)
            return -1;
        offset += bytes[i].iov_len;
    }
    return 0;
}

int
newfile_put(int dirfd, const char *part, const char *name, mode_t mode,
            const struct iovec *bytes, size_t n)
{
    unlinkat(dirfd, part, 0);
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = openat(dirfd, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, bytes, n) == 0 &&
        renameat(dirfd, part, dirfd, name) == 0)
        return 0;
    int why = errno;
    unlinkat(dirfd, part, 0);
    errno = why;
    return -1;
}
