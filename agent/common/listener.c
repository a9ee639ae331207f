/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* accept4(2), and what to do when it cannot. */
#include "common/listener.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "wire/sockets.h"

#define BACKLOG 64

/* How long nobody is let in when there are no descriptors left. */
#define PAUSE_MS 100

struct listener {
    int fd;
    int handle;
    int pause; /* libvirt's timer, armed while nobody is let in */
    char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *name;
    mode_t mode;
    struct sockaddr_un address;
    struct stat bound; /* what stands there */
    listener_accepted_fn *accepted;
    void *arg;
};

/* Who waits to be let in stays in the queue when there is no descriptor for
 * it, and so does the event: look away for a while, or the loop would spin. */
static void
set_pause(struct listener *listener, bool pause)
{
    virEventUpdateHandle(listener->handle,
                         pause ? 0 : VIR_EVENT_HANDLE_READABLE);
    virEventUpdateTimeout(listener->pause, pause ? PAUSE_MS : -1);
}

static void
on_pause_over(int id, void *opaque)
{
    (void)id;
    set_pause(opaque, false);
}

static void
on_connect(int handle, int fd, int events, void *opaque)
{
    struct listener *listener = opaque;
    (void)handle;
    (void)events;
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted >= 0)
        listener->accepted(listener->arg, accepted);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
             errno == ENOMEM)
        set_pause(listener, true);
}

static int
start(struct listener *listener, struct memctx_error *err)
{
    const char *dir = listener->dir;
    const char *name = listener->name;
    listener->fd = sockets_bind(dir, name, SOCK_SEQPACKET, listener->mode,
                                &listener->address, err);
    if (listener->fd < 0)
        return -1;
    listener->bound = sockets_at(&listener->address);
    if (listen(listener->fd, BACKLOG) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot listen on %s/%s: %s", dir, name,
                                strerror(errno));
    listener->handle = virEventAddHandle(
        listener->fd, VIR_EVENT_HANDLE_READABLE, on_connect, listener, NULL);
    listener->pause = virEventAddTimeout(-1, on_pause_over, listener, NULL);
    if (listener->handle < 0 || listener->pause < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "cannot watch %s/%s",
                                dir, name);
    return 0;
}

static void
stop(struct listener *listener)
{
    if (listener->handle >= 0)
        virEventRemoveHandle(listener->handle);
    if (listener->pause >= 0)
        virEventRemoveTimeout(listener->pause);
    listener->handle = -1;
    listener->pause = -1;
    memctx_close_fd(&listener->fd);
}

int
listener_create(const char *dir, const char *name, mode_t mode,
                listener_accepted_fn *accepted, void *arg,
                struct listener **ret, struct memctx_error *err)
{
    struct listener *listener = malloc(sizeof(*listener));
    if (listener == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *listener = (struct listener){
        .fd = -1,
        .handle = -1,
        .pause = -1,
        .name = name,
        .mode = mode,
        .accepted = accepted,
        .arg = arg,
    };
    /* One that does not fit is refused by start(), where it is cut, too. */
    snprintf(listener->dir, sizeof(listener->dir), "%s", dir);
    if (start(listener, err) < 0) {
        listener_destroy(listener);
        return -1;
    }
    *ret = listener;
    return 0;
}

int
listener_refresh(struct listener *listener, struct memctx_error *err)
{
    if (listener->handle >= 0 &&
        sockets_stand(&listener->address, &listener->bound))
        return 0;
    stop(listener);
    return start(listener, err) < 0 ? -1 : 1;
}

/* Those who had connected before the socket goes. */
static void
let_in_waiting(struct listener *listener)
{
    for (int i = 0; i <= BACKLOG; i++) {
        int fd =
            accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        listener->accepted(listener->arg, fd);
    }
}

/* A socket has its mode from bind(2): there may be no chmod(2) any more. */
int
listener_set_mode(struct listener *listener, mode_t mode,
                  struct memctx_error *err)
{
    bool changes = listener->mode != mode;
    listener->mode = mode;
    if (!changes || listener->handle < 0)
        return 0;
    let_in_waiting(listener);
    stop(listener);
    return start(listener, err);
}

void
listener_destroy(struct listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->fd >= 0)
        unlink(listener->address.sun_path);
    stop(listener);
    free(listener);
}
