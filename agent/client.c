/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Talks to memctxd's control socket; the protocol stands in control.h. */
#include "client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "clocks.h"
#include "control.h"
#include "rundir.h"
#include "sockets.h"

int
client_connect(const struct options *options, int *ret,
               struct memctx_error *err)
{
    char dir[PATH_MAX];
    struct sockaddr_un address;
    if (options->runtime_dir != NULL)
        snprintf(dir, sizeof(dir), "%s", options->runtime_dir);
    else if (rundir_for_uri(options->uri, dir, sizeof(dir)) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "no agent's directory: set XDG_RUNTIME_DIR or "
                                "use --runtime-dir");
    if (sockets_address(dir, CONTROL_SOCKET, &address, err) < 0)
        return -1;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot reach memctxd at %s: %s; is it running "
                                "for this connection (-c URI)?",
                                address.sun_path, strerror(errno));
    *ret = memctx_steal_fd(&fd);
    return 0;
}

static void
cleanup_json(json_object **object)
{
    json_object_put(*object);
}

int
client_request(int fd, const char *op, const char *domain,
               struct memctx_error *err)
{
    MEMCTX_CLEANUP(cleanup_json)
    json_object *request = json_object_new_object();
    json_object_object_add(request, "op", json_object_new_string(op));
    if (domain != NULL)
        json_object_object_add(request, "domain",
                               json_object_new_string(domain));
    const char *text = json_object_to_json_string(request);
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctxd did not take the request: %s",
                                strerror(errno));
    return 0;
}

/* 1: readable; 0: time over. */
static int
wait_readable(int fd, int64_t deadline_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    for (;;) {
        int64_t left =
            deadline_ms < 0 ? -1 : deadline_ms - (int64_t)clocks_now_ms();
        if (deadline_ms >= 0 && left < 0)
            left = 0;
        int n = poll(&poller, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (n > 0)
            return 1;
        if (n == 0 && left <= INT_MAX)
            return 0;
        if (n < 0 && errno != EINTR)
            return 1; /* recv() will say what is wrong */
    }
}

static int
check_error(json_object *object, struct memctx_error *err)
{
    json_object *member;
    if (object == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctxd's answer is no JSON");
    if (json_object_object_get_ex(object, "error", &member))
        return memctx_error_set(err, MEMCTX_PERMANENT, "%s",
                                json_object_get_string(member));
    return 0;
}

int
client_reply(int fd, int64_t deadline_ms, json_object **ret,
             struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = malloc(CONTROL_REPLY_MAX + 1);
    if (text == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    if (wait_readable(fd, deadline_ms) == 0)
        return 0;
    ssize_t n = recv(fd, text, CONTROL_REPLY_MAX, 0);
    if (n <= 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctxd closed the connection");
    text[n] = '\0';
    MEMCTX_CLEANUP(cleanup_json) json_object *object = json_tokener_parse(text);
    if (check_error(object, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&object);
    return 1;
}
