/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
#include "common/fileio.h"

#include <errno.h>
#include <unistd.h>

int
fileio_pwrite_all(int fd, const void *bytes, size_t len_bytes, uint64_t offset)
{
    const char *from = bytes;
    for (size_t done = 0; done < len_bytes;) {
        ssize_t n =
            pwrite(fd, from + done, len_bytes - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO; /* no progress, and no reason is given */
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}
