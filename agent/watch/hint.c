/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Drains datagrams; believes none of their bytes. */
#include "watch/hint.h"

#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "wire/sockets.h"

#define TURN_MAX 64 /* datagrams: the loop has other work, too */

struct hint {
    int fd;
    int handle; /* libvirt's; -1: none */
    char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct sockaddr_un address;
    struct stat bound; /* what stands there */
    struct watch *watch;
};

static void
on_datagrams(int handle, int fd, int events, void *opaque)
{
    struct hint *hint = opaque;
    char ignored[1];
    (void)handle;
    (void)events;
    unsigned n = 0;
    while (n < TURN_MAX &&
           recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT) >= 0)
        n++;
    if (n > 0)
        watch_look_now(hint->watch);
}

static int
start(struct hint *hint, struct memctx_error *err)
{
    hint->fd = sockets_bind(hint->dir, HINT_SOCKET, SOCK_DGRAM, 0600,
                            &hint->address, err);
    if (hint->fd < 0)
        return -1;
    hint->bound = sockets_at(&hint->address);
    hint->handle = virEventAddHandle(hint->fd, VIR_EVENT_HANDLE_READABLE,
                                     on_datagrams, hint, NULL);
    if (hint->handle < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot watch the socket for hints");
    return 0;
}

static void
stop(struct hint *hint)
{
    if (hint->handle >= 0)
        virEventRemoveHandle(hint->handle);
    hint->handle = -1;
    memctx_close_fd(&hint->fd);
}

int
hint_create(const char *dir, struct watch *watch, struct hint **ret,
            struct memctx_error *err)
{
    struct hint *hint = calloc(1, sizeof(*hint));
    if (hint == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    hint->watch = watch;
    hint->handle = -1;
    hint->fd = -1;
    snprintf(hint->dir, sizeof(hint->dir), "%s", dir);
    if (start(hint, err) < 0) {
        hint_destroy(hint);
        return -1;
    }
    *ret = hint;
    return 0;
}

int
hint_refresh(struct hint *hint, struct memctx_error *err)
{
    if (hint->handle >= 0 && sockets_stand(&hint->address, &hint->bound))
        return 0;
    stop(hint);
    return start(hint, err) < 0 ? -1 : 1;
}

void
hint_destroy(struct hint *hint)
{
    if (hint == NULL)
        return;
    if (hint->fd >= 0)
        unlink(hint->address.sun_path);
    stop(hint);
    free(hint);
}
