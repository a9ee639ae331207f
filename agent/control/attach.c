/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation attach: RAM that infrastructure hands in. A thread of intake.h
 * looks at it, for its file system may make who does wait. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "backing/handed.h"
#include "common/disposer.h"
#include "control/describe.h"
#include "control/intake.h"
#include "control/operation.h"

/* A member of an extent that must be there. */
static int
need_number(json_object *object, const char *key, uint64_t *ret,
            struct refusal *refusal)
{
    int has = message_number(object, key, ret, refusal);
    if (has == 0)
        return refuse(refusal, REFUSAL_USAGE, "an extent wants \"%s\"", key);
    return has < 0 ? -1 : 0;
}

static int
add_extent(struct handed *handed, json_object *object, struct refusal *refusal)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_extent e;
    uint64_t backend;
    if (!json_object_is_type(object, json_type_object))
        return refuse(refusal, REFUSAL_USAGE, "an extent is an object");
    if (need_number(object, "gpa", &e.gpa, refusal) < 0 ||
        need_number(object, "size", &e.size, refusal) < 0 ||
        need_number(object, "offset", &e.offset, refusal) < 0 ||
        need_number(object, "backend", &backend, refusal) < 0)
        return -1;
    if (backend >= HANDED_FDS_MAX)
        return refuse(refusal, REFUSAL_USAGE,
                      "\"backend\" wants the number of a descriptor");
    e.backend = (unsigned)backend;
    return handed_add_extent(handed, &e, &err) < 0 ? refuse_error(refusal, &err)
                                                   : 0;
}

static int
add_extents(struct handed *handed, json_object *message,
            struct refusal *refusal)
{
    json_object *array;
    if (!json_object_object_get_ex(message, "extents", &array))
        return 0;
    if (!json_object_is_type(array, json_type_array))
        return refuse(refusal, REFUSAL_USAGE, "\"extents\" wants an array");
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        if (add_extent(handed, json_object_array_get_idx(array, i), refusal) <
            0)
            return -1;
    }
    return 0;
}

/* As many fit as a packet may have: the descriptors are the RAM's now. */
_Static_assert(HANDED_FDS_MAX >= CONTROL_FDS_MAX, "a packet's fit");

static void
take_fds(struct handed *handed, struct packet *packet)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (unsigned i = 0; i < packet->n_fds; i++)
        handed_add_fd(handed, memctx_steal_fd(&packet->fds[i]), &err);
}

/* What was handed in, while a thread looks at it. */
struct attachment {
    struct intake_job job; /* first */
    struct task task;
    struct session *session; /* NULL: the client has left */
    struct disposer *disposer;
    char uuid[MEMCTX_UUID_TEXT_SIZE]; /* of the domain, */
    struct epoch *epoch;              /* in this run; a reference */
    struct handed *handed;            /* owned */
    int failed;
    struct memctx_error err;
};

static void
destroy_handed(void *handed)
{
    handed_destroy(handed);
}

/* What it still has has been checked, or is none yet: it may be closed by the
 * thread that closes RAM. */
static void
attachment_destroy(struct attachment *a)
{
    if (a == NULL)
        return;
    if (a->handed != NULL)
        disposer_take(a->disposer, destroy_handed, a->handed);
    epoch_drop(a->epoch);
    free(a);
}

static void
attachment_cleanup(struct attachment **a)
{
    attachment_destroy(*a);
}

/* What fails is closed here, where it may take for ever. */
static void
work(struct intake_job *job)
{
    struct attachment *a = (struct attachment *)job;
    a->failed = handed_check(a->handed, &a->err);
    if (a->failed < 0)
        handed_destroy(memctx_steal_ptr(&a->handed));
}

/* Meanwhile the domain may have stopped, or started anew under the same UUID.
 * That, and the RAM that it has then, is told to others, of whom this client
 * may be one: it may be dropped here. */
static int
replace_ram(struct attachment *a, struct record **ret, struct refusal *refusal)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct service *service = a->session->service;
    if (a->failed < 0)
        return refuse_error(refusal, &a->err);
    struct record *record =
        session_find(a->session, a->uuid, ACCESS_ATTACH, refusal);
    if (record == NULL)
        return -1;
    if (record->epoch != a->epoch)
        return refuse(refusal, REFUSAL_GONE,
                      "the domain has stopped, or other RAM of it was handed "
                      "in meanwhile");
    if (service->attach(service->attach_arg, record,
                        memctx_steal_ptr(&a->handed), ret, &err) < 0)
        return refuse_error(refusal, &err);
    return 0;
}

static int
answer(struct session *session, const struct record *record)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "domain", describe_domain(record));
    return session_reply(session, object);
}

static void
done(struct intake_job *job)
{
    struct attachment *a = (struct attachment *)job;
    struct refusal refusal;
    struct record *record;
    int failed = a->session != NULL ? replace_ram(a, &record, &refusal) : -1;
    struct session *session = a->session;
    if (session != NULL) {
        session->busy = NULL;
        failed = failed < 0 ? session_refuse(session, &refusal)
                            : answer(session, record);
    }
    attachment_destroy(a);
    if (session != NULL)
        session->answered(session, failed);
}

static void
abandon(struct task *task)
{
    MEMCTX_CONTAINER_OF(task, struct attachment, task)->session = NULL;
}

/* NULL: no memory. */
static struct attachment *
attachment_create(struct session *session, const struct record *record,
                  uint64_t low)
{
    MEMCTX_CLEANUP(attachment_cleanup)
    struct attachment *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return NULL;
    a->job.work = work;
    a->job.done = done;
    a->task.abandon = abandon;
    a->session = session;
    a->disposer = session->service->disposer;
    memcpy(a->uuid, record->uuid, sizeof(a->uuid));
    a->epoch = epoch_share(record->epoch);
    a->handed = handed_create(low);
    return a->handed != NULL ? memctx_steal_ptr(&a) : NULL;
}

/* Descriptors are taken out of the packet only when nothing can fail any more:
 * before, they are closed with it. */
static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    uint64_t low = 0;
    const struct record *record = session_find(
        session, message_text(message, "domain"), ACCESS_ATTACH, refusal);
    if (record == NULL || message_number(message, "low", &low, refusal) < 0)
        return -1;
    if (packet->n_fds == 0)
        return refuse(refusal, REFUSAL_USAGE,
                      "attach wants descriptors beside the request");
    MEMCTX_CLEANUP(attachment_cleanup)
    struct attachment *a = attachment_create(session, record, low);
    if (a == NULL)
        return refuse(refusal, REFUSAL_EXHAUSTED, "out of memory");
    if (add_extents(a->handed, message, refusal) < 0)
        return -1;
    take_fds(a->handed, packet);
    a->job.n_fds = packet->n_fds;
    session->busy = &a->task;
    intake_submit(session->service->intake, session->peer.uid,
                  &memctx_steal_ptr(&a)->job);
    return 0;
}

const struct operation attach_operation = {.name = "attach",
                                           .takes_fds = true,
                                           .perform = perform,
                                           .touches_ram = true,
                                           .right = ACCESS_ATTACH};
