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

static int
write_part(int fd, const struct iovec *part)
{
    for (size_t done = 0; done < part->iov_len;) {
        const char *bytes = part->iov_base;
        ssize_t n = write(fd, bytes + done, part->iov_len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

static int
write_all(int fd, const struct iovec *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (write_part(fd, &bytes[i]) < 0)
            return -1;
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
