/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Drains datagrams; believes none of their bytes. */
#include "watch/hint.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "wire/sockets.h"

#define TURN_MAX 64 /* datagrams: the loop has other work, too */

struct hint {
    int fd;
    int handle; /* libvirt's; -1: none */
    struct sockaddr_un address;
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

int
hint_create(const char *dir, struct watch *watch, struct hint **ret,
            struct memctx_error *err)
{
    struct hint *hint = calloc(1, sizeof(*hint));
    if (hint == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    hint->watch = watch;
    hint->handle = -1;
    hint->fd = sockets_bind(dir, HINT_SOCKET, SOCK_DGRAM, &hint->address, err);
    if (hint->fd < 0) {
        hint_destroy(hint);
        return -1;
    }
    hint->handle = virEventAddHandle(hint->fd, VIR_EVENT_HANDLE_READABLE,
                                     on_datagrams, hint, NULL);
    if (hint->handle < 0) {
        hint_destroy(hint);
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "cannot watch the socket for hints");
    }
    *ret = hint;
    return 0;
}

void
hint_destroy(struct hint *hint)
{
    if (hint == NULL)
        return;
    if (hint->handle >= 0)
        virEventRemoveHandle(hint->handle);
    if (hint->fd >= 0) {
        close(hint->fd);
        unlink(hint->address.sun_path);
    }
    free(hint);
}
