/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Answers requests on the control socket from the loop thread. Nothing here
 * waits for a client: what one does not read is kept up to a limit, then it
 * is disconnected. */
#include "control.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "sockets.h"

#define CLIENTS_MAX 256
#define BACKLOG 64
#define PAGE_DOMAINS 64              /* in one packet of a list */
#define UNSENT_MAX (4 * 1024 * 1024) /* bytes kept for one client */

struct packet {
    struct packet *next;
    size_t len;
    char bytes[];
};

struct client {
    struct control *control;
    int fd;
    int handle;           /* of libvirt's event loop */
    char *waits_for;      /* a domain as the client called it; NULL: nothing */
    struct packet *first; /* not sent yet */
    struct packet **last;
    size_t unsent;
    struct client *next;
};

struct control {
    int fd;
    int handle;
    struct sockaddr_un address;
    struct record *const *records;
    const struct log *log;
    struct client *clients;
    unsigned n_clients;
};

static void
cleanup_json(json_object **object)
{
    json_object_put(*object);
}

static void
drop_client(struct client *client)
{
    struct control *control = client->control;
    struct client **at = &control->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    control->n_clients--;
    if (client->handle >= 0)
        virEventRemoveHandle(client->handle);
    close(client->fd);
    while (client->first != NULL) {
        struct packet *packet = client->first;
        client->first = packet->next;
        free(packet);
    }
    free(client->waits_for);
    free(client);
}

/* Send what can be sent. -1: the client is gone. */
static int
flush_client(struct client *client)
{
    while (client->first != NULL) {
        struct packet *packet = client->first;
        ssize_t n = send(client->fd, packet->bytes, packet->len,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n < 0)
            return -1;
        client->first = packet->next;
        if (client->first == NULL)
            client->last = &client->first;
        client->unsent -= packet->len;
        free(packet);
    }
    virEventUpdateHandle(
        client->handle,
        VIR_EVENT_HANDLE_READABLE |
            (client->first != NULL ? VIR_EVENT_HANDLE_WRITABLE : 0));
    return 0;
}

/* Queue a reply; takes the object. -1: the client is to be dropped. */
static int
reply(struct client *client, json_object *object)
{
    MEMCTX_CLEANUP(cleanup_json) json_object *owned = object;
    size_t len = 0;
    const char *text = json_object_to_json_string_length(
        owned, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    struct packet *packet = text != NULL ? malloc(sizeof(*packet) + len) : NULL;
    if (packet == NULL || len > CONTROL_REPLY_MAX ||
        client->unsent + len > UNSENT_MAX) {
        free(packet);
        return -1;
    }
    packet->next = NULL;
    packet->len = len;
    memcpy(packet->bytes, text, len);
    *client->last = packet;
    client->last = &packet->next;
    client->unsent += len;
    return flush_client(client);
}

static int
reply_error(struct client *client, const char *text)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "error", json_object_new_string(text));
    return reply(client, object);
}

static json_object *
describe(const struct record *record)
{
    json_object *d = json_object_new_object();
    json_object_object_add(d, "name", json_object_new_string(record->name));
    json_object_object_add(d, "uuid", json_object_new_string(record->uuid));
    json_object_object_add(d, "id", json_object_new_int(record->id));
    json_object_object_add(
        d, "state",
        json_object_new_string(memctx_state_name(record_state(record))));
    if (record_reason(record)[0] != '\0')
        json_object_object_add(d, "reason",
                               json_object_new_string(record_reason(record)));
    if (record->has_datum)
        json_object_object_add(
            d, "generation",
            json_object_new_int((int)record->datum.generation));
    return d;
}

static int
reply_list(struct client *client)
{
    const struct record *r = *client->control->records;
    do {
        json_object *page = json_object_new_object();
        json_object *array = json_object_new_array();
        for (unsigned i = 0; r != NULL && i < PAGE_DOMAINS; i++, r = r->next)
            json_object_array_add(array, describe(r));
        json_object_object_add(page, "domains", array);
        if (r != NULL)
            json_object_object_add(page, "more", json_object_new_boolean(1));
        if (reply(client, page) < 0)
            return -1;
    } while (r != NULL);
    return 0;
}

static int
reply_show(struct client *client, const struct record *record)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *xml = NULL;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "domain", describe(record));
    if (record_state(record) == MEMCTX_STATE_READY &&
        memctx_datum_to_xml(&record->datum, MEMCTX_PRIVATE, &xml, NULL) == 0)
        json_object_object_add(object, "datum", json_object_new_string(xml));
    return reply(client, object);
}

static bool
is_id(const char *text, int id)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 &&
           value == id;
}

/* As virsh: an id if it is one, else a UUID, else a name. */
static const struct record *
find_record(const struct control *control, const char *domain)
{
    for (unsigned pass = 0; pass < 3; pass++) {
        for (const struct record *r = *control->records; r != NULL;
             r = r->next) {
            if (pass == 0   ? is_id(domain, r->id)
                : pass == 1 ? strcasecmp(domain, r->uuid) == 0
                            : strcmp(domain, r->name) == 0)
                return r;
        }
    }
    return NULL;
}

static int
handle_show(struct client *client, const char *domain)
{
    const struct record *record = find_record(client->control, domain);
    if (record == NULL)
        return reply_error(client, "no such domain is running");
    return reply_show(client, record);
}

static bool
is_decided(const struct record *record)
{
    enum memctx_state state = record_state(record);
    return state == MEMCTX_STATE_READY || state == MEMCTX_STATE_UNSUPPORTED;
}

static int
handle_wait(struct client *client, const char *domain)
{
    const struct record *record = find_record(client->control, domain);
    if (record != NULL && is_decided(record))
        return reply_show(client, record);
    free(client->waits_for);
    client->waits_for = strdup(domain);
    return client->waits_for != NULL ? 0 : -1;
}

static const char *
text_member(json_object *object, const char *key)
{
    json_object *member;
    if (!json_object_is_type(object, json_type_object) ||
        !json_object_object_get_ex(object, key, &member) ||
        !json_object_is_type(member, json_type_string))
        return NULL;
    return json_object_get_string(member);
}

static int
handle_request(struct client *client, const char *text)
{
    MEMCTX_CLEANUP(cleanup_json)
    json_object *request = json_tokener_parse(text);
    const char *op = text_member(request, "op");
    const char *domain = text_member(request, "domain");
    if (op == NULL)
        return reply_error(client, "expected {\"op\":...}");
    if (strcmp(op, "list") == 0)
        return reply_list(client);
    if (domain == NULL)
        return reply_error(client, "expected {\"op\":...,\"domain\":...}");
    if (strcmp(op, "show") == 0)
        return handle_show(client, domain);
    if (strcmp(op, "wait") == 0)
        return handle_wait(client, domain);
    return reply_error(client, "unknown op; expected list, show or wait");
}

/* Read one request. -1: drop the client. */
static int
read_request(struct client *client)
{
    char text[CONTROL_REQUEST_MAX + 1];
    ssize_t n = recv(client->fd, text, sizeof(text), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    if ((size_t)n == sizeof(text))
        return reply_error(client, "request too long");
    text[n] = '\0';
    return handle_request(client, text);
}

static void
on_client(int handle, int fd, int events, void *opaque)
{
    struct client *client = opaque;
    (void)handle;
    (void)fd;
    if ((events & VIR_EVENT_HANDLE_WRITABLE) != 0 && flush_client(client) < 0) {
        drop_client(client);
        return;
    }
    if ((events & ~VIR_EVENT_HANDLE_WRITABLE) != 0 && read_request(client) < 0)
        drop_client(client);
}

/* The mode of the socket lets nobody else in; this says it again, and holds
 * where somebody changed the mode. */
static bool
is_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void
on_connect(int handle, int fd, int events, void *opaque)
{
    struct control *control = opaque;
    (void)handle;
    (void)events;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0)
        return;
    if (!is_allowed(peer) || control->n_clients >= CLIENTS_MAX) {
        log_line(control->log, LOG_LEVEL_WARNING,
                 "control socket: a client was refused");
        return;
    }
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return;
    client->control = control;
    client->fd = memctx_steal_fd(&peer);
    client->last = &client->first;
    client->next = control->clients;
    control->clients = client;
    control->n_clients++;
    client->handle = virEventAddHandle(client->fd, VIR_EVENT_HANDLE_READABLE,
                                       on_client, client, NULL);
    if (client->handle < 0)
        drop_client(client);
}

int
control_create(const char *dir, struct record *const *records,
               const struct log *log, struct control **ret,
               struct memctx_error *err)
{
    struct control *control = calloc(1, sizeof(*control));
    if (control == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    control->fd = -1;
    control->handle = -1;
    control->records = records;
    control->log = log;
    control->fd = sockets_bind(dir, CONTROL_SOCKET, SOCK_SEQPACKET,
                               &control->address, err);
    if (control->fd < 0) {
        control_destroy(control);
        return -1;
    }
    if (listen(control->fd, BACKLOG) < 0) {
        control_destroy(control);
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "cannot listen on %s/%s: %s", dir,
                                CONTROL_SOCKET, strerror(errno));
    }
    control->handle = virEventAddHandle(control->fd, VIR_EVENT_HANDLE_READABLE,
                                        on_connect, control, NULL);
    if (control->handle < 0) {
        control_destroy(control);
        return memctx_error_set(err, MEMCTX_BUG,
                                "cannot watch the control socket");
    }
    *ret = control;
    return 0;
}

void
control_destroy(struct control *control)
{
    if (control == NULL)
        return;
    while (control->clients != NULL)
        drop_client(control->clients);
    if (control->handle >= 0)
        virEventRemoveHandle(control->handle);
    if (control->fd >= 0) {
        close(control->fd);
        unlink(control->address.sun_path);
    }
    free(control);
}

void
control_changed(struct control *control, const struct record *record)
{
    struct client *next;
    if (control == NULL || !is_decided(record))
        return;
    for (struct client *c = control->clients; c != NULL; c = next) {
        next = c->next;
        if (c->waits_for == NULL ||
            find_record(control, c->waits_for) != record)
            continue;
        free(c->waits_for);
        c->waits_for = NULL;
        if (reply_show(c, record) < 0)
            drop_client(c);
    }
}
