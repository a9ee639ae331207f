/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A TCP socket whose close(2) waits for seconds: its peer takes nothing. */
#ifndef MEMCTX_TESTS_LINGER_H
#define MEMCTX_TESTS_LINGER_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

struct linger_socket {
    int fd;
    int peer;
    bool sent;
    pthread_t closer; /* if sent */
};

static inline void
linger_init(struct linger_socket *s, int seconds)
{
    static const char zeros[65536];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    const struct linger linger = {.l_onoff = 1, .l_linger = seconds};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &len);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(s->fd, (struct sockaddr *)&address, len), 0);
    s->peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    close(listener);
    s->sent = false;
    while (send(s->fd, zeros, sizeof(zeros), MSG_DONTWAIT) > 0)
        ;
    assert_int_equal(
        setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
}

static inline void *
linger_close(void *arg)
{
    const struct linger_socket *s = arg;
    close(s->fd);
    return NULL;
}

/* Send it along with a text: it is the receiver's only, soon after. False: the
 * receiver is not there any more. The receiver may have closed it by then, and
 * then it is our own close that waits: a thread does that. */
static inline bool
linger_send(struct linger_socket *s, int to, const char *text)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = ""};
    struct iovec part = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &s->fd, sizeof(int));
    if (sendmsg(to, &message, MSG_NOSIGNAL) < 0)
        return false;
    s->sent = pthread_create(&s->closer, NULL, linger_close, s) == 0;
    return s->sent;
}

/* Wakes who waits for it: its peer is gone, before we close our own. */
static inline void
linger_deinit(struct linger_socket *s)
{
    close(s->peer);
    if (s->sent)
        pthread_join(s->closer, NULL);
    else
        close(s->fd);
}

#endif
