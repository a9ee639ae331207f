/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* sendmsg(2), recvmsg(2), and what was not sent yet. */
#include "control/connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "wire/sockets.h"

#define UNSENT_MAX (4 * 1024 * 1024) /* bytes kept for one peer */

struct connection {
    int fd;
    struct packet *first;
    struct packet **last;
    size_t unsent;
};

struct packet *
packet_create(size_t len)
{
    struct packet *packet = malloc(sizeof(*packet) + len + 1);
    if (packet == NULL)
        return NULL;
    packet->next = NULL;
    packet->n_fds = 0;
    packet->len = len;
    return packet;
}

void
packet_destroy(struct packet *packet)
{
    if (packet == NULL)
        return;
    for (unsigned i = 0; i < packet->n_fds; i++)
        memctx_close_fd(&packet->fds[i]);
    free(packet);
}

unsigned
packet_count_fds(const struct packet *packet)
{
    unsigned count = 0;
    for (unsigned i = 0; i < packet->n_fds; i++)
        count += packet->fds[i] >= 0;
    return count;
}

/* A packet must fit into the socket's buffer as a whole; the kernel cuts the
 * wish at net.core.wmem_max and doubles it. */
static void
widen(int fd)
{
    int size = CONTROL_REPLY_MAX;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

struct connection *
connection_create(int fd)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int owned = fd;
    struct connection *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    widen(fd);
    c->fd = memctx_steal_fd(&owned);
    c->last = &c->first;
    return c;
}

void
connection_destroy(struct connection *c)
{
    if (c == NULL)
        return;
    while (c->first != NULL) {
        struct packet *packet = c->first;
        c->first = packet->next;
        packet_destroy(packet);
    }
    close(c->fd);
    free(c);
}

int
connection_fd(const struct connection *c)
{
    return c->fd;
}

/* recvmsg(2) failed. */
static enum connection_got
nothing_or_closed(void)
{
    return errno == EAGAIN || errno == EINTR ? CONNECTION_NOTHING
                                             : CONNECTION_CLOSED;
}

/* Is the next packet one without descriptors? The kernel says so to who looks
 * without room for them. Looked at before it is taken, so it must be there: a
 * packet that comes a moment later may be another. */
static enum connection_got
look_for_fds(int fd)
{
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT) < 0)
        return nothing_or_closed();
    return (message.msg_flags & MSG_CTRUNC) != 0 ? CONNECTION_UNWANTED
                                                 : CONNECTION_PACKET;
}

#define TEXT_OF(number) #number
#define TEXT_OF_MACRO(macro) TEXT_OF(macro)

/* NULL: it is a packet that can be taken. */
static const char *
refusal_of(int flags, const struct packet *packet)
{
    if ((flags & MSG_TRUNC) != 0)
        return "the request is longer than " TEXT_OF_MACRO(
            CONTROL_REQUEST_MAX) " bytes";
    if (packet->n_fds > CONTROL_FDS_MAX || (flags & MSG_CTRUNC) != 0)
        return "more descriptors came with the request than can be taken";
    return NULL;
}

/* recvmsg(2) into a packet. *flags are the message's. */
static ssize_t
receive(int fd, bool want_fds, struct packet *packet, int *flags)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {packet->bytes, CONTROL_REQUEST_MAX};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = want_fds ? control.bytes : NULL,
        .msg_controllen = want_fds ? sizeof(control.bytes) : 0,
    };
    ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n >= 0)
        sockets_take_fds(&message, packet->fds, PACKET_FDS_MAX, &packet->n_fds);
    *flags = message.msg_flags;
    return n;
}

enum connection_got
connection_receive(struct connection *c, bool want_fds, struct packet **ret,
                   const char **why)
{
    int flags;
    enum connection_got next =
        want_fds ? CONNECTION_PACKET : look_for_fds(c->fd);
    *ret = NULL;
    if (next != CONNECTION_PACKET)
        return next;
    struct packet *packet = packet_create(CONTROL_REQUEST_MAX);
    if (packet == NULL)
        return CONNECTION_CLOSED;
    *ret = packet;
    ssize_t n = receive(c->fd, want_fds, packet, &flags);
    if (n < 0)
        return nothing_or_closed();
    /* A packet of 0 bytes is told from the end only by what came with it; who
     * sends one has nothing to say. */
    if (n == 0)
        return CONNECTION_CLOSED;
    *why = refusal_of(flags, packet);
    if (*why != NULL)
        return CONNECTION_REFUSED;
    packet->len = (size_t)n;
    packet->bytes[n] = '\0';
    return CONNECTION_PACKET;
}

static ssize_t
send_packet(int fd, struct packet *packet)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {packet->bytes, packet->len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    sockets_put_fds(&message, control.bytes, packet->fds, packet->n_fds);
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
connection_flush(struct connection *c)
{
    while (c->first != NULL) {
        struct packet *packet = c->first;
        ssize_t n = send_packet(c->fd, packet);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n < 0)
            return -1;
        c->first = packet->next;
        if (c->first == NULL)
            c->last = &c->first;
        c->unsent -= packet->len;
        packet_destroy(packet);
    }
    return 0;
}

int
connection_send(struct connection *c, struct packet *packet)
{
    if (packet->len > CONTROL_REPLY_MAX ||
        c->unsent + packet->len > UNSENT_MAX) {
        packet_destroy(packet);
        return -1;
    }
    packet->next = NULL;
    *c->last = packet;
    c->last = &packet->next;
    c->unsent += packet->len;
    return connection_flush(c);
}

size_t
connection_unsent(const struct connection *c)
{
    return c->unsent;
}

bool
connection_is_read(const struct connection *c)
{
    int queued = 0;
    return c->first == NULL &&
           (ioctl(c->fd, SIOCOUTQ, &queued) < 0 || queued == 0);
}
