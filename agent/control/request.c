/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From a message to a thread and back. */
#include "control/request.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"

/* A client that does not ask for them is told how to. */
static int
check_ready(const struct record *record, bool takes_silent, bool serves_silent,
            struct refusal *refusal)
{
    enum memctx_state state = record_state(record);
    bool silent = state == MEMCTX_STATE_SILENT && record->has_datum;
    if ((state == MEMCTX_STATE_READY || (silent && takes_silent)) &&
        record->has_datum && record->map != NULL)
        return 0;
    if (silent && serves_silent && !takes_silent)
        return refuse(refusal, REFUSAL_RETRY,
                      "domain '%.100s' is %s: %s; its memory is served to who "
                      "asks with \"silent\":true",
                      record->name, memctx_state_name(state),
                      record_reason(record));
    return refuse(refusal,
                  state == MEMCTX_STATE_UNSUPPORTED ? REFUSAL_PERMANENT
                                                    : REFUSAL_RETRY,
                  "domain '%.100s' is %s: %s", record->name,
                  memctx_state_name(state), record_reason(record));
}

static int
check_epoch(const struct record *record, json_object *message,
            struct refusal *refusal)
{
    uint64_t epoch;
    int has = message_number(message, "epoch", &epoch, refusal);
    if (has <= 0 || epoch == record->kernel_epoch)
        return has < 0 ? -1 : 0;
    return refuse(refusal, REFUSAL_STALE,
                  "the kernel that ran in domain '%.100s' runs no more",
                  record->name);
}

static void
abandon(struct task *task)
{
    struct request *r = MEMCTX_CONTAINER_OF(task, struct request, task);
    r->session = NULL;
    atomic_store(&r->abandoned, true);
}

void *
request_create(size_t size, const struct request_ops *ops,
               struct session *session, const struct record *record,
               json_object *message, struct refusal *refusal)
{
    bool takes_silent = ops->serves_silent && message_flag(message, "silent");
    if (check_epoch(record, message, refusal) < 0 ||
        check_ready(record, takes_silent, ops->serves_silent, refusal) < 0)
        return NULL;
    struct request *r = calloc(1, size);
    if (r == NULL) {
        refuse(refusal, REFUSAL_EXHAUSTED, "out of memory");
        return NULL;
    }
    r->ops = ops;
    r->session = session;
    r->kernel = running_kernel_of(record, takes_silent);
    r->last = &r->first;
    return r;
}

static void
drop_answer(struct request *r)
{
    while (r->first != NULL) {
        struct packet *packet = r->first;
        r->first = packet->next;
        packet_destroy(packet);
    }
    r->last = &r->first;
}

void
request_destroy(struct request *r)
{
    if (r == NULL)
        return;
    if (r->ops->deinit != NULL)
        r->ops->deinit(r);
    running_kernel_release(&r->kernel);
    drop_answer(r);
    free(r);
}

/* Nothing is done for a client that has left, nor with a kernel that is over.
 */
static int
carry_out(struct request *r)
{
    if (atomic_load(&r->abandoned))
        return memctx_error_set(&r->err, MEMCTX_GONE, "the client has left");
    if (r->ops->is_final)
        return r->ops->work(r, &r->err);
    if (running_kernel_check(&r->kernel, &r->err) < 0 ||
        r->ops->work(r, &r->err) < 0)
        return -1;
    return running_kernel_check(&r->kernel, &r->err);
}

/* RAM, and descriptors of it that nobody will get, are not held until the loop
 * has time: the domain may have ended, and its RAM goes with the last of them,
 * which takes a while. */
static void
work(struct offload_job *job)
{
    struct request *r = (struct request *)job;
    if (carry_out(r) == 0)
        r->err.kind = MEMCTX_OK;
    else
        drop_answer(r);
    memctx_rammap_destroy(memctx_steal_ptr(&r->kernel.map));
}

/* Between the thread and here another kernel may have come. */
static int
check_answer(struct request *r)
{
    if (r->err.kind != MEMCTX_OK)
        return -1;
    return r->ops->is_final ? 0 : running_kernel_check(&r->kernel, &r->err);
}

static int
send_answer(struct request *r, struct session *session)
{
    struct refusal refusal;
    if (check_answer(r) < 0) {
        refuse_error(&refusal, &r->err);
        return session_refuse(session, &refusal);
    }
    while (r->first != NULL) {
        struct packet *packet = r->first;
        r->first = packet->next;
        if (connection_send(session->connection, packet) < 0)
            return -1;
    }
    return 0;
}

static void
done(struct offload_job *job)
{
    struct request *r = (struct request *)job;
    struct session *session = r->session;
    int failed = 0;
    if (session != NULL) {
        session->busy = NULL;
        failed = send_answer(r, session);
    }
    request_destroy(r);
    if (session != NULL)
        session->answered(session, failed);
}

void
request_submit(struct request *r)
{
    r->job.work = work;
    r->job.done = done;
    r->task.abandon = abandon;
    r->session->busy = &r->task;
    offload_submit(r->session->service->requests, NULL, &r->job);
}

void
request_add(struct request *r, struct packet *packet)
{
    packet->next = NULL;
    *r->last = packet;
    r->last = &packet->next;
}

int
request_add_object(struct request *r, json_object *object,
                   struct memctx_error *err)
{
    struct packet *packet = message_packet(object);
    if (packet == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    request_add(r, packet);
    return 0;
}
