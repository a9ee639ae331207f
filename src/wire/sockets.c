/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Binds Unix sockets; knows no protocol. */
#include "wire/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int
sockets_address(const char *dir, const char *name, struct sockaddr_un *ret,
                struct memctx_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir,
                     name);
    if (n < 0 || (size_t)n >= sizeof(address.sun_path))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s is too long for a socket's path", dir);
    *ret = address;
    return 0;
}

int
sockets_bind(const char *dir, const char *name, int type, mode_t mode,
             struct sockaddr_un *address, struct memctx_error *err)
{
    if (sockets_address(dir, name, address, err) < 0)
        return -1;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(address->sun_path);
    mode_t old = umask(0777 & ~mode);
    int failed = fd < 0 || bind(fd, (const struct sockaddr *)address,
                                sizeof(*address)) < 0;
    umask(old);
    if (failed)
        return memctx_error_set(err, MEMCTX_PERMANENT, "cannot bind %s: %s",
                                address->sun_path, strerror(errno));
    return memctx_steal_fd(&fd);
}

struct stat
sockets_at(const struct sockaddr_un *address)
{
    struct stat st;
    if (lstat(address->sun_path, &st) < 0)
        memset(&st, 0, sizeof(st));
    return st;
}

bool
sockets_stand(const struct sockaddr_un *address, const struct stat *stood)
{
    struct stat st = sockets_at(address);
    return S_ISSOCK(st.st_mode) && st.st_dev == stood->st_dev &&
           st.st_ino == stood->st_ino;
}

void
sockets_put_fds(struct msghdr *message, void *control, const int *fds,
                unsigned n)
{
    size_t len = n * sizeof(fds[0]);
    if (n == 0)
        return;
    memset(control, 0, CMSG_SPACE(len)); /* which ends in padding */
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(len);
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), fds, len);
}

bool
sockets_take_fds(struct msghdr *message, int *fds, unsigned max,
                 unsigned *count)
{
    bool fit = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
         c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
            fit = fit && *count < max;
            if (fit)
                fds[(*count)++] = fd;
            else
                close(fd);
        }
    }
    return fit;
}
