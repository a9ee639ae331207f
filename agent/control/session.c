/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds domains for a client without telling it of others, and answers it. */
#include "control/session.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/number.h"

#define DOMAIN_MAX 256 /* bytes of a name, UUID or id in a request */

int
session_reply(struct session *session, json_object *object)
{
    struct packet *packet = message_packet(object);
    return packet != NULL ? connection_send(session->connection, packet) : -1;
}

int
session_refuse(struct session *session, const struct refusal *refusal)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "error",
                           json_object_new_string(refusal->message));
    json_object_object_add(
        object, "kind",
        json_object_new_string(refusal_kind_name(refusal->kind)));
    return session_reply(session, object);
}

bool
session_may(const struct session *session, enum access_right right,
            const struct record *record)
{
    return access_may(session->service->access, &session->peer, right,
                      record->name);
}

static bool
has_id(const struct record *record, const char *domain)
{
    uint64_t number;
    return memctx_number_parse_decimal(domain, INT_MAX, &number) &&
           (int)number == record->id;
}

static bool
has_uuid(const struct record *record, const char *domain)
{
    return strcasecmp(domain, record->uuid) == 0;
}

static bool
has_name(const struct record *record, const char *domain)
{
    return strcmp(domain, record->name) == 0;
}

typedef bool is_called_fn(const struct record *record, const char *domain);

static struct record *
find_by(const struct session *session, is_called_fn *is_called,
        const char *domain, enum access_right right)
{
    for (struct record *r = *session->service->records; r != NULL;
         r = r->next) {
        if (is_called(r, domain) && (session_may(session, right, r) ||
                                     session_may(session, ACCESS_LIST, r)))
            return r;
    }
    return NULL;
}

/* As virsh: an id if it is one, else a UUID, else a name. */
static struct record *
find(const struct session *session, const char *domain, enum access_right right)
{
    static is_called_fn *const ways[] = {has_id, has_uuid, has_name};
    struct record *record = NULL;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ways) && record == NULL; i++)
        record = find_by(session, ways[i], domain, right);
    return record;
}

const struct record *
session_known(const struct session *session, const char *domain,
              enum access_right right)
{
    const struct record *record = find(session, domain, right);
    return record != NULL && session_may(session, right, record) ? record
                                                                 : NULL;
}

/* These are on record anyhow, refused or not: audit.h. */
static bool
is_audited(enum access_right right)
{
    return right == ACCESS_OPEN || right == ACCESS_READ ||
           right == ACCESS_ATTACH || right == ACCESS_WRITE;
}

int
session_deny(struct session *session, enum access_right right,
             const char *domain, struct refusal *refusal)
{
    session->service->refusals++;
    refuse(refusal, REFUSAL_DENIED,
           "uid %u may not %s %s%.100s%s; the key access in memctxd.conf "
           "grants it: \"user:%u %s DOMAIN\"",
           (unsigned)session->peer.uid, access_right_name(right),
           domain != NULL ? "'" : "", domain != NULL ? domain : "all domains",
           domain != NULL ? "'" : "", (unsigned)session->peer.uid,
           access_right_name(right));
    if (!is_audited(right))
        denials_log(&session->service->denials, session->service->log,
                    &session->peer, refusal->message);
    return -1;
}

/* A number may be an id, which is nobody's to leave out. */
static bool
is_left_out(const struct session *session, const char *domain)
{
    return domain[strspn(domain, "0123456789")] != '\0' &&
           !patterns_admit(session->service->domains, domain, domain);
}

int
session_refuse_away(struct refusal *refusal)
{
    return refuse(
        refusal, REFUSAL_RETRY,
        "memctxd is not connected to libvirt, or not yet: it does not "
        "know which domains run; is libvirt running?");
}

struct record *
session_find(struct session *session, const char *domain,
             enum access_right right, struct refusal *refusal)
{
    if (domain == NULL || domain[0] == '\0' || strlen(domain) >= DOMAIN_MAX) {
        refuse(refusal, REFUSAL_USAGE,
               "\"domain\" wants a name, UUID or id of up to %d bytes",
               DOMAIN_MAX - 1);
        return NULL;
    }
    struct record *record = find(session, domain, right);
    if (record != NULL && session_may(session, right, record))
        return record;
    if (record != NULL ||
        !access_may(session->service->access, &session->peer, right, domain))
        session_deny(session, right, domain, refusal);
    else if (is_left_out(session, domain))
        refuse(refusal, REFUSAL_GONE,
               "domain '%.100s' is left out by the key domains of memctxd.conf",
               domain);
    else if (!*session->service->is_complete)
        session_refuse_away(refusal);
    else
        refuse(refusal, REFUSAL_GONE, "no domain '%.100s' is running", domain);
    return NULL;
}

bool
session_means(const struct session *session, const char *domain,
              const struct record *record)
{
    return (has_id(record, domain) || has_uuid(record, domain) ||
            has_name(record, domain)) &&
           session_may(session, ACCESS_WAIT, record) &&
           find(session, domain, ACCESS_WAIT) == record;
}
