/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One connection to an agent's control socket: requests and replies, as in
 * memctx-control(7). It knows no operation. One thread at a time. */
#ifndef MEMCTX_CLIENT_H
#define MEMCTX_CLIENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/protocol.h"

struct client;

/* A reply. Descriptors that nobody took are closed with it. */
struct client_packet {
    json_object *object;
    const unsigned char *bytes; /* behind the object; the client's, valid until
                                   its next reply */
    size_t n_bytes;
    int fds[CONTROL_FDS_MAX]; /* close-on-exec; -1: taken */
    unsigned n_fds;
};

void client_packet_deinit(struct client_packet *packet);

/* The agent's directory: `where` is one that begins with a slash, or a libvirt
 * URI; NULL: libvirt's default. -1 with PERMANENT. */
int client_find(const char *where, char *dir, size_t size,
                struct memctx_error *err);

/* Make one of a connected socket, which is owned from the call on, without a
 * greeting. -1 with EXHAUSTED: out of memory. */
int client_adopt(int fd, struct client **ret, struct memctx_error *err);

/* Connect to the agent in a directory. The caller destroys it. -1 with
 * PERMANENT: it is not there, or speaks another protocol. */
int client_create(const char *dir, struct client **ret,
                  struct memctx_error *err);
void client_destroy(struct client *client); /* NULL is fine */

/* {"op":op,"domain":domain}, to which more may be added (domain NULL: without
 * it). NULL: out of memory. The caller puts it. */
json_object *client_ask(const char *op, const char *domain);

/* Say in a request that a silent domain will do; `takes` false: say nothing. */
void client_take_silent(json_object *request, bool takes);

/* Send a request, which stays the caller's. -1 with GONE: the agent left;
 * PERMANENT: it is too long. */
int client_request(struct client *client, json_object *request,
                   struct memctx_error *err);

/* Wait for a reply until the monotonic time deadline_ms (-1: for ever). 1 and
 * a packet, which the caller deinits; 0: the time is over; -1: GONE: the agent
 * left, or its reply is none; or the error that it answered. */
int client_reply(struct client *client, int64_t deadline_ms,
                 struct client_packet *ret, struct memctx_error *err);

/* Both, for what the agent answers at once. 0, or -1 as above; GONE, too, when
 * no answer comes for half a minute. */
int client_call(struct client *client, json_object *request,
                struct client_packet *ret, struct memctx_error *err);

/* The same, with GONE when no answer comes in answer_ms. The connection is then
 * of no use any more, and every later call says GONE: an answer that is late
 * would be taken for that to another request. */
int client_call_within(struct client *client, json_object *request,
                       unsigned answer_ms, struct client_packet *ret,
                       struct memctx_error *err);

/* The socket, which stays the client's: to be kept open in a sandbox. */
int client_socket(const struct client *client);

/* Has the agent closed the connection? One system call. */
bool client_is_left(const struct client *client);

/* A text in an object, NULL: there is none. */
const char *client_text(json_object *object, const char *key);

/* An address or a size: a text with "0x" or a number. False: there is none, or
 * it does not fit. */
bool client_number(json_object *object, const char *key, uint64_t *ret);

void client_cleanup(struct client **client);

#endif
