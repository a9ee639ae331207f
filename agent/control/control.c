/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Accepts clients, and reads a request of one when it may have another. Nothing
 * here waits for a client, and each has its turn: one request at a time, the
 * next when the answer to the last is on its way. */
#include "control/control.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/disposer.h"
#include "base/cleanup.h"
#include "common/listener.h"
#include "control/intake.h"
#include "control/measures.h"
#include "control/operations.h"
#include "control/wait.h"
#include "control/walks.h"

#define CLIENTS_MAX 256
#define STRANGERS_MAX 192 /* neither root nor our own user: others get in */
#define OF_ONE_UID_MAX 64 /* strangers */

struct control {
    struct listener *listener;
    int audit_timer; /* libvirt's; -1: none */
    bool audit_armed;
    struct service service;
    struct session *sessions;
};

/* A session, and whose it is. */
struct client {
    struct session session; /* first */
    struct control *control;
};

static void
destroy_connection(void *connection)
{
    connection_destroy(connection);
}

/* In its queues there may be descriptors: theirs, or of a guest's RAM. */
static void
dispose_of(struct control *control, struct connection *connection)
{
    disposer_take(control->service.disposer, destroy_connection, connection);
}

static void
drop(struct client *client)
{
    struct session **at = &client->control->sessions;
    struct session *session = &client->session;
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    if (session->handle >= 0)
        virEventRemoveHandle(session->handle);
    if (session->busy != NULL)
        session->busy->abandon(session->busy);
    wait_deinit(&session->waiting);
    dispose_of(client->control, session->connection);
    peer_deinit(&session->peer);
    free(client);
}

/* What to be woken by: a request only when there is no answer on its way. A
 * hang-up in any case; with no event at all libvirt would not poll. */
static void
update(const struct session *session)
{
    int events = VIR_EVENT_HANDLE_HANGUP;
    if (connection_unsent(session->connection) > 0)
        events |= VIR_EVENT_HANDLE_WRITABLE;
    else if (session->busy == NULL)
        events |= VIR_EVENT_HANDLE_READABLE;
    virEventUpdateHandle(session->handle, events);
}

static void
settle(struct session *session, int failed)
{
    if (failed < 0)
        drop((struct client *)session);
    else
        update(session);
}

static int
refuse_packet(struct session *session, const char *why)
{
    struct refusal refusal;
    refuse(&refusal, REFUSAL_USAGE, "%s", why);
    return session_refuse(session, &refusal);
}

/* Descriptors are there, and stay there. -1, for the client is dropped. */
static int
refuse_fds(struct session *session, bool may_attach)
{
    struct refusal refusal;
    if (may_attach)
        refuse(&refusal, REFUSAL_RETRY,
               "no more descriptors are taken until those that were handed in "
               "before are done with");
    else
        refuse(&refusal, REFUSAL_USAGE,
               "descriptors came from somebody who may hand in none");
    session_refuse(session, &refusal);
    return -1;
}

/* An idle agent sleeps. */
static void
arm_audit(struct control *control)
{
    bool wanted = audit_has_rows(control->service.audit);
    if (wanted != control->audit_armed)
        virEventUpdateTimeout(control->audit_timer,
                              wanted ? AUDIT_PERIOD_MS : -1);
    control->audit_armed = wanted;
}

static void
on_audit_timer(int timer, void *opaque)
{
    struct control *control = opaque;
    (void)timer;
    audit_flush(control->service.audit);
    arm_audit(control);
}

/* Read one request. -1: drop the client. */
static int
read_request(struct session *session)
{
    const struct service *service = session->service;
    struct packet *packet;
    const char *why;
    int failed = 0;
    bool may_attach =
        access_may_some(service->access, &session->peer, ACCESS_ATTACH);
    struct intake_lot *lot =
        may_attach ? intake_reserve(service->intake, session->peer.uid) : NULL;
    switch (
        connection_receive(session->connection, lot != NULL, &packet, &why)) {
    case CONNECTION_NOTHING:
        break;
    case CONNECTION_CLOSED:
        failed = -1;
        break;
    case CONNECTION_REFUSED:
        failed = refuse_packet(session, why);
        break;
    case CONNECTION_UNWANTED:
        failed = refuse_fds(session, may_attach);
        break;
    case CONNECTION_PACKET:
        failed = operations_perform(session, packet);
        arm_audit(((struct client *)session)->control);
    }
    intake_close(lot, packet);
    return failed;
}

static void
on_client(int handle, int fd, int events, void *opaque)
{
    struct session *session = opaque;
    int failed = 0;
    (void)handle;
    (void)fd;
    if ((events & (VIR_EVENT_HANDLE_HANGUP | VIR_EVENT_HANDLE_ERROR)) != 0)
        failed = -1;
    if (failed == 0 && (events & VIR_EVENT_HANDLE_WRITABLE) != 0)
        failed =
            connection_flush(session->connection) < 0 || wait_tell(session) < 0
                ? -1
                : 0;
    if (failed == 0 && (events & VIR_EVENT_HANDLE_READABLE) != 0 &&
        session->busy == NULL && connection_unsent(session->connection) == 0)
        failed = read_request(session);
    settle(session, failed);
}

/* Is there room for one more? */
static bool
has_room(const struct control *control, const struct peer *peer)
{
    unsigned clients = 0;
    unsigned strangers = 0;
    unsigned same = 0;
    for (const struct session *s = control->sessions; s != NULL; s = s->next) {
        clients++;
        if (!peer_is_ours(&s->peer))
            strangers++;
        if (s->peer.uid == peer->uid)
            same++;
    }
    if (peer_is_ours(peer))
        return clients < CLIENTS_MAX;
    return clients < CLIENTS_MAX && strangers < STRANGERS_MAX &&
           same < OF_ONE_UID_MAX;
}

/* Has this peer anything to look for here? The mode of the socket says so, too,
 * where there are no rules. */
static bool
is_welcome(const struct control *control, const struct peer *peer)
{
    for (unsigned right = 0; right < ACCESS_RIGHTS; right++) {
        if (access_may_some(control->service.access, peer,
                            (enum access_right)right))
            return true;
    }
    return false;
}

/* Say why, and hang up. What it has asked already is taken first: closed with
 * that unread, the connection would look broken (ECONNRESET). What has
 * descriptors stays there. */
static void
turn_away(struct control *control, const struct peer *peer, bool welcome,
          struct connection *connection)
{
    const char *why = welcome ? "too many connections"
                              : "the key access in memctxd.conf grants it "
                                "nothing";
    struct session session = {.connection = connection};
    struct refusal refusal;
    struct packet *asked;
    const char *wrong;
    control->service.refusals++;
    denials_log(&control->service.denials, control->service.log, peer, why);
    connection_receive(connection, false, &asked, &wrong);
    packet_destroy(asked);
    refuse(&refusal, welcome ? REFUSAL_RETRY : REFUSAL_DENIED,
           "uid %u is not served: %s", (unsigned)peer->uid, why);
    session_refuse(&session, &refusal);
    dispose_of(control, connection);
}

/* Takes the connection, and what the peer has. */
static struct client *
make_client(struct control *control, struct peer *peer,
            struct connection *connection)
{
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        dispose_of(control, connection);
        return NULL;
    }
    client->session.connection = connection;
    client->control = control;
    client->session.service = &control->service;
    client->session.answered = settle;
    client->session.peer = *peer;
    memset(peer, 0, sizeof(*peer));
    client->session.next = control->sessions;
    control->sessions = &client->session;
    return client;
}

/* Takes the connection. */
static void
admit(struct control *control, struct connection *connection)
{
    int fd = connection_fd(connection);
    MEMCTX_CLEANUP(peer_deinit) struct peer peer = {.n_groups = 0};
    if (peer_of(fd, &peer) < 0) {
        dispose_of(control, connection);
        return;
    }
    bool welcome = is_welcome(control, &peer);
    if (!welcome || !has_room(control, &peer)) {
        turn_away(control, &peer, welcome, connection);
        return;
    }
    struct client *client = make_client(control, &peer, connection);
    if (client == NULL)
        return;
    client->session.handle = virEventAddHandle(
        fd, VIR_EVENT_HANDLE_READABLE | VIR_EVENT_HANDLE_HANGUP, on_client,
        &client->session, NULL);
    if (client->session.handle < 0)
        drop(client);
}

static void
on_accepted(void *arg, int fd)
{
    struct connection *connection = connection_create(fd);
    if (connection != NULL)
        admit(arg, connection);
}

static int
create_audit(struct control *control, struct memctx_error *err)
{
    control->service.audit = audit_create(control->service.log);
    control->audit_timer =
        virEventAddTimeout(-1, on_audit_timer, control, NULL);
    if (control->service.audit != NULL && control->audit_timer >= 0)
        return 0;
    return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
}

static mode_t
mode_by_rules(const struct control *control)
{
    return control->service.access->n_rules > 0 ? 0666 : 0600;
}

int
control_create(const char *dir, const struct service *service,
               struct control **ret, struct memctx_error *err)
{
    struct control *control = calloc(1, sizeof(*control));
    if (control == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    control->service = *service;
    control->audit_timer = -1;
    if (create_audit(control, err) < 0 ||
        disposer_create(&control->service.disposer, err) < 0 ||
        walks_create(service->tries, &control->service.walks, err) < 0 ||
        intake_create(&control->service.intake, err) < 0 ||
        listener_create(dir, CONTROL_SOCKET, mode_by_rules(control),
                        on_accepted, control, &control->listener, err) < 0) {
        control_destroy(control);
        return -1;
    }
    *ret = control;
    return 0;
}

void
control_destroy(struct control *control)
{
    if (control == NULL)
        return;
    listener_destroy(control->listener);
    while (control->sessions != NULL)
        drop((struct client *)control->sessions);
    intake_destroy(control->service.intake);
    walks_destroy(control->service.walks);
    disposer_destroy(control->service.disposer);
    if (control->audit_timer >= 0)
        virEventRemoveTimeout(control->audit_timer);
    audit_destroy(control->service.audit);
    free(control);
}

void
control_measure(const struct control *control, struct memctx_text *text)
{
    const struct measures_wish wish = {.spelling = EXPOSITION_PROMETHEUS};
    measures_write(&control->service, &wish, text);
}

int
control_refresh(struct control *control, struct memctx_error *err)
{
    return listener_refresh(control->listener, err);
}

void
control_reload(struct control *control)
{
    struct session *next;
    /* One that fails is tried again, and told, with the next look at it. */
    listener_set_mode(control->listener, mode_by_rules(control), NULL);
    for (struct session *s = control->sessions; s != NULL; s = next) {
        next = s->next;
        if (!is_welcome(control, &s->peer))
            drop((struct client *)s);
    }
}

void
control_changed(struct control *control, struct record *record)
{
    struct session *next;
    if (control == NULL)
        return;
    record->change = ++control->service.changes;
    walks_check(control->service.walks);
    for (struct session *s = control->sessions; s != NULL; s = next) {
        next = s->next;
        if (s->waiting.is_waiting)
            settle(s, wait_tell(s));
    }
}

void
control_gone(struct control *control, const struct record *record)
{
    struct session *next;
    if (control == NULL)
        return;
    walks_check(control->service.walks);
    for (struct session *s = control->sessions; s != NULL; s = next) {
        next = s->next;
        if (s->waiting.is_waiting)
            settle(s, wait_tell_gone(s, record));
    }
}
