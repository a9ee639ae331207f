/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Makes a backend safe to hand out, or says why it is not. Opens for reading
 * only. */
#include "backing/readonly.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANY_WRITE (S_IWUSR | S_IWGRP | S_IWOTH)

int
readonly_reopen(int fd)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/* A memfd, or a file that was unlinked: its mode is nobody else's business.
 * What counts is the mode afterwards, not whether fchmod(2) said so. */
static int
forbid_writing(int fd, struct stat *st, struct memctx_error *err)
{
    if ((st->st_mode & ANY_WRITE) == 0)
        return 0;
    int failed = fchmod(fd, 0444) < 0 ? errno : 0;
    if (fstat(fd, st) == 0 && (st->st_mode & ANY_WRITE) == 0)
        return 0;
    return memctx_error_set(
        err, MEMCTX_PERMANENT,
        "whoever gets its descriptor could open it for writing: its mode is "
        "%04o and cannot be made 0444 (%s); give memctxd CAP_FOWNER",
        (unsigned)st->st_mode & 07777, strerror(failed));
}

/* A file with a name has the mode that its owner gave it. Where it has an ACL,
 * the group's bits are the most that any entry of it grants (acl(5)). */
static int
check_named(const struct stat *st, struct memctx_error *err)
{
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "its file has mode %04o, so that others than its "
                            "owner may write it: chmod go-w",
                            (unsigned)st->st_mode & 07777);
}

/* Its owner may always set the mode back. Root, and ourselves, could write to
 * it without us. */
static int
check_owner(const struct stat *st, uid_t peer, struct memctx_error *err)
{
    if (st->st_uid != peer || peer == 0 || peer == geteuid())
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "its file belongs to uid %u, who asks: an owner "
                            "could make it writable",
                            (unsigned)peer);
}

int
readonly_open(const struct memctx_source *source, uid_t peer, int *ret,
              struct memctx_error *err)
{
    struct stat st;
    if (source->pagemap_fd >= 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "it is memory of QEMU's own, of which there "
                                "is no file");
    if (fstat(source->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return memctx_error_set(err, MEMCTX_PERMANENT, "it is no file");
    if (check_owner(&st, peer, err) < 0 ||
        (st.st_nlink == 0 ? forbid_writing(source->fd, &st, err)
                          : check_named(&st, err)) < 0)
        return -1;
    int fd = readonly_reopen(source->fd);
    if (fd < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "it cannot be opened again: %s",
                                strerror(errno));
    *ret = fd;
    return 0;
}
