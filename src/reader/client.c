/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Sends and receives packets. The agent is trusted, a packet is not: it may
 * come from another version, or be cut. */
#include "reader/client.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "wire/clocks.h"
#include "text/jsonguard.h"
#include "wire/rundir.h"
#include "wire/sockets.h"

#define ANSWER_MS 30000

struct client {
    int fd;
    bool is_refused; /* the last answer was "denied", or "retry" */
    unsigned char buffer[CONTROL_REPLY_MAX + 1];
};

void
client_cleanup(struct client **client)
{
    client_destroy(*client);
}

void
client_packet_deinit(struct client_packet *packet)
{
    json_object_put(packet->object);
    packet->object = NULL;
    for (unsigned i = 0; i < packet->n_fds; i++)
        memctx_close_fd(&packet->fds[i]);
    packet->n_fds = 0;
}

int
client_find(const char *where, char *dir, size_t size, struct memctx_error *err)
{
    if (where == NULL || where[0] != '/')
        return rundir_for_uri(where, dir, size, err);
    int n = snprintf(dir, size, "%s", where);
    if (n < 0 || (size_t)n >= size)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "too long for an agent's directory: %s", where);
    return 0;
}

void
client_destroy(struct client *client)
{
    if (client == NULL)
        return;
    memctx_close_fd(&client->fd);
    free(client);
}

json_object *
client_ask(const char *op, const char *domain)
{
    json_object *request = json_object_new_object();
    json_object_object_add(request, "op", json_object_new_string(op));
    if (domain != NULL)
        json_object_object_add(request, "domain",
                               json_object_new_string(domain));
    return request;
}

void
client_take_silent(json_object *request, bool takes)
{
    if (takes)
        json_object_object_add(request, "silent", json_object_new_boolean(1));
}

int
client_request(struct client *client, json_object *request,
               struct memctx_error *err)
{
    size_t len = 0;
    const char *text = json_object_to_json_string_length(
        request, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    if (request == NULL || text == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (len > CONTROL_REQUEST_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a domain's name of %zu bytes is too long",
                                len);
    ssize_t n;
    do
        n = send(client->fd, text, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return memctx_error_set(err, MEMCTX_GONE,
                                "memctxd left: it did not take a request: %s",
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
            return 1; /* recvmsg() will say what is wrong */
    }
}

/* Receive one message into the buffer: its length. */
static ssize_t
receive(struct client *client, struct client_packet *packet,
        struct memctx_error *err)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(256 * sizeof(int))];
    struct iovec io = {client->buffer, CONTROL_REPLY_MAX};
    struct msghdr message = {.msg_iov = &io,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t n;
    /* That the other end broke off is told once, before what it had sent. */
    do
        n = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n <= 0)
        return memctx_error_set(err, MEMCTX_GONE,
                                "memctxd left: it closed the connection");
    /* There is room in the control buffer for more than an agent may send. */
    sockets_take_fds(&message, packet->fds, CONTROL_FDS_MAX, &packet->n_fds);
    if ((message.msg_flags & MSG_CTRUNC) != 0)
        return memctx_error_set(err, MEMCTX_GONE,
                                "descriptors were lost: at most %u could be "
                                "received; see RLIMIT_NOFILE",
                                packet->n_fds);
    if ((message.msg_flags & MSG_TRUNC) != 0)
        return memctx_error_set(err, MEMCTX_GONE,
                                "memctxd's answer is longer than %d bytes",
                                CONTROL_REPLY_MAX);
    return n;
}

static const struct {
    const char *name;
    enum memctx_error_kind kind;
} kinds[] = {
    {"retry", MEMCTX_RETRY},         {"gone", MEMCTX_GONE},
    {"stale", MEMCTX_STALE},         {"bug", MEMCTX_BUG},
    {"exhausted", MEMCTX_EXHAUSTED},
};

/* "permanent", "denied", "usage" and what is not known: trying again will not
 * help. */
static int
check_error(struct client *client, json_object *object,
            struct memctx_error *err)
{
    const char *text = client_text(object, "error");
    const char *name = client_text(object, "kind");
    enum memctx_error_kind kind = MEMCTX_PERMANENT;
    client->is_refused = name != NULL && (strcmp(name, "denied") == 0 ||
                                          strcmp(name, "retry") == 0);
    if (text == NULL)
        return 0;
    for (size_t i = 0; name != NULL && i < MEMCTX_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            kind = kinds[i].kind;
    }
    return memctx_error_set(err, kind, "%s",
                            text[0] != '\0' ? text : "memctxd says not why");
}

static json_object *
parse_text(const unsigned char *text, size_t len)
{
    json_tokener *tokener = json_tokener_new();
    if (tokener == NULL)
        return NULL;
    json_object *object =
        json_tokener_parse_ex(tokener, (const char *)text, (int)len);
    json_tokener_free(tokener);
    return object;
}

/* The object, and what is behind its newline; or an object of many lines. */
static int
parse(struct client *client, size_t len, struct client_packet *packet,
      struct memctx_error *err)
{
    const unsigned char *newline = memchr(client->buffer, '\n', len);
    size_t line = newline != NULL ? (size_t)(newline - client->buffer) : len;
    packet->object = parse_text(client->buffer, line);
    packet->bytes = client->buffer + (line < len ? line + 1 : len);
    packet->n_bytes = len - (size_t)(packet->bytes - client->buffer);
    if (packet->object == NULL && line < len) {
        packet->object = parse_text(client->buffer, len);
        packet->n_bytes = 0;
    }
    if (!json_object_is_type(packet->object, json_type_object))
        return memctx_error_set(err, MEMCTX_GONE,
                                "memctxd's answer is no JSON object");
    return check_error(client, packet->object, err);
}

int
client_reply(struct client *client, int64_t deadline_ms,
             struct client_packet *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet packet = {.n_fds = 0};
    if (wait_readable(client->fd, deadline_ms) == 0)
        return 0;
    ssize_t n = receive(client, &packet, err);
    if (n < 0 || parse(client, (size_t)n, &packet, err) < 0)
        return -1;
    *ret = packet;
    packet = (struct client_packet){.n_fds = 0};
    return 1;
}

/* client_reply() to what has just been asked. */
static int
take_answer(struct client *client, unsigned time_ms, struct client_packet *ret,
            struct memctx_error *err)
{
    int got =
        client_reply(client, (int64_t)clocks_now_ms() + time_ms, ret, err);
    if (got != 0)
        return got < 0 ? -1 : 0;
    /* What may come yet is no answer to the next request. */
    shutdown(client->fd, SHUT_RDWR);
    return memctx_error_set(err, MEMCTX_GONE,
                            "memctxd has not answered for %u.%03u s",
                            time_ms / 1000, time_ms % 1000);
}

int
client_call_within(struct client *client, json_object *request,
                   unsigned answer_ms, struct client_packet *ret,
                   struct memctx_error *err)
{
    if (client_request(client, request, err) < 0)
        return -1;
    return take_answer(client, answer_ms, ret, err);
}

int
client_call(struct client *client, json_object *request,
            struct client_packet *ret, struct memctx_error *err)
{
    return client_call_within(client, request, ANSWER_MS, ret, err);
}

/* Is there nobody to talk to? An agent that does not know "hello" refuses that
 * one request: it is too old, which is told of its version. One that does not
 * serve us says so without having been asked, and hangs up. */
static bool
is_turned_away(const struct client *client, const struct memctx_error *answer)
{
    return client->is_refused || answer->kind == MEMCTX_GONE ||
           answer->kind == MEMCTX_EXHAUSTED || answer->kind == MEMCTX_BUG;
}

/* May it be another time? */
static bool
may_pass(const struct memctx_error *answer)
{
    return answer->kind == MEMCTX_RETRY || answer->kind == MEMCTX_EXHAUSTED;
}

/* The version of an agent that names none: the first that readers met. */
#define VERSION_UNTOLD 1

static int
check_version(uint64_t version, struct memctx_error *err)
{
    if (version == CONTROL_VERSION)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "this memctxd speaks version %" PRIu64
                            " of its protocol, and this program version %d: %s",
                            version, CONTROL_VERSION,
                            version < CONTROL_VERSION
                                ? "upgrade memctxd, and restart it"
                                : "upgrade the program or its libmemctx");
}

static int
greet(struct client *client, struct memctx_error *err)
{
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet packet = {.n_fds = 0};
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *hello = client_ask("hello", NULL);
    struct memctx_error answer = MEMCTX_ERROR_INIT;
    uint64_t version = VERSION_UNTOLD;
    bool asked = client_request(client, hello, &answer) == 0;
    if (take_answer(client, asked ? ANSWER_MS : 0, &packet, &answer) < 0 &&
        is_turned_away(client, &answer))
        return memctx_error_set(
            err, may_pass(&answer) ? answer.kind : MEMCTX_PERMANENT, "%s",
            answer.message);
    client_number(packet.object, "memctx", &version);
    return check_version(version, err);
}

int
client_adopt(int fd, struct client **ret, struct memctx_error *err)
{
    struct client *client = malloc(sizeof(*client));
    if (client == NULL) {
        memctx_close_fd(&fd);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    client->fd = fd;
    client->is_refused = false;
    *ret = client;
    return 0;
}

static int
refuse_connect(const char *path, int why, struct memctx_error *err)
{
    if (why == EACCES || why == EPERM)
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "uid %u may not use memctxd's socket %s: %s; root and the user of "
            "memctxd may, and whom the key access in memctxd.conf names",
            (unsigned)geteuid(), path, strerror(why));
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "cannot reach memctxd at %s: %s; is it running for "
                            "this connection (-c URI)?",
                            path, strerror(why));
}

int
client_create(const char *dir, struct client **ret, struct memctx_error *err)
{
    struct sockaddr_un address;
    if (sockets_address(dir, CONTROL_SOCKET, &address, err) < 0)
        return -1;
    MEMCTX_CLEANUP(client_cleanup)
    struct client *client = NULL;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (client_adopt(fd, &client, err) < 0)
        return -1;
    if (client->fd < 0 ||
        connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return refuse_connect(address.sun_path, errno, err);
    if (greet(client, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&client);
    return 0;
}

int
client_socket(const struct client *client)
{
    return client->fd;
}

bool
client_is_left(const struct client *client)
{
    struct pollfd poller = {.fd = client->fd, .events = POLLRDHUP};
    return poll(&poller, 1, 0) > 0;
}

const char *
client_text(json_object *object, const char *key)
{
    json_object *member;
    if (!json_object_is_type(object, json_type_object) ||
        !json_object_object_get_ex(object, key, &member) ||
        !json_object_is_type(member, json_type_string))
        return NULL;
    return json_object_get_string(member);
}

bool
client_number(json_object *object, const char *key, uint64_t *ret)
{
    json_object *member;
    if (!json_object_is_type(object, json_type_object) ||
        !json_object_object_get_ex(object, key, &member))
        return false;
    if (json_object_is_type(member, json_type_int)) {
        int64_t value = json_object_get_int64(member);
        if (value < 0)
            return false;
        *ret = json_object_get_uint64(member);
        return true;
    }
    return json_object_is_type(member, json_type_string) &&
           memctx_number_parse_hex(json_object_get_string(member), ret);
}
