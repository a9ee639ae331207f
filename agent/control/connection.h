/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One connection of the control socket: whole packets in and out, descriptors
 * with them. It waits for nobody, and knows neither requests nor events: the
 * owner polls the descriptor. Loop thread only. */
#ifndef MEMCTXD_CONNECTION_H
#define MEMCTXD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/protocol.h"

/* SCM_MAX_FD: the kernel takes as many in one packet. */
#define PACKET_FDS_MAX 253

/* A packet on its way, in either direction, with its descriptors. */
struct packet {
    struct packet *next;
    int fds[PACKET_FDS_MAX]; /* owned; -1: taken out */
    unsigned n_fds;
    size_t len;
    char bytes[]; /* of an incoming one, a NUL follows */
};

/* A packet with room for `len` bytes. NULL: out of memory. */
struct packet *packet_create(size_t len);

/* Descriptors that are still in it. */
unsigned packet_count_fds(const struct packet *packet);

/* Close its descriptors and free it. NULL is fine. Any thread; not the loop's
 * for a packet that came with descriptors, see intake.h. */
void packet_destroy(struct packet *packet);

struct connection;

/* Owns the socket from the call on. NULL: out of memory. */
struct connection *connection_create(int fd);

/* Close it; what was not sent is lost. NULL is fine. */
void connection_destroy(struct connection *connection);

int connection_fd(const struct connection *connection);

enum connection_got {
    CONNECTION_NOTHING, /* no packet is there */
    CONNECTION_PACKET,
    CONNECTION_REFUSED,  /* there was one: too long, or with descriptors that
                            were too many */
    CONNECTION_UNWANTED, /* there is one with descriptors, which nobody wants:
                            it stays where it is */
    CONNECTION_CLOSED    /* the peer has gone, or no memory */
};

/* Take one packet. Without `want_fds` one that has descriptors is not taken:
 * even to have the kernel close them could hold us up, see disposer.h. *ret is
 * the caller's whatever is returned, NULL if nothing was taken; none of its
 * descriptors has been touched. With REFUSED *why is a sentence. */
enum connection_got connection_receive(struct connection *connection,
                                       bool want_fds, struct packet **ret,
                                       const char **why);

/* Queue a packet, which is owned from the call on, and send what can be sent.
 * -1: the peer has gone, or does not read its replies: drop it. */
int connection_send(struct connection *connection, struct packet *packet);

/* Send what can be sent. -1: the peer has gone. */
int connection_flush(struct connection *connection);

/* Bytes that the kernel did not take yet. */
size_t connection_unsent(const struct connection *connection);

/* Did the peer take all that it was sent? */
bool connection_is_read(const struct connection *connection);

#endif
