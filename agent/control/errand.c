/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From a request to a thread and back. */
#include "control/errand.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static int
check_ready(const struct record *record, struct refusal *refusal)
{
    enum memctx_state state = record_state(record);
    if (state == MEMCTX_STATE_READY && record->has_datum && record->map != NULL)
        return 0;
    return refuse(refusal,
                  state == MEMCTX_STATE_UNSUPPORTED ? REFUSAL_PERMANENT
                                                    : REFUSAL_RETRY,
                  "domain '%.100s' is %s: %s", record->name,
                  memctx_state_name(state), record_reason(record));
}

static int
check_request_epoch(const struct record *record, json_object *request,
                    struct refusal *refusal)
{
    uint64_t epoch;
    int has = message_number(request, "epoch", &epoch, refusal);
    if (has <= 0 || epoch == record->kernel_epoch)
        return has < 0 ? -1 : 0;
    return refuse(refusal, REFUSAL_STALE,
                  "the kernel that ran in domain '%.100s' runs no more",
                  record->name);
}

static struct errand *
make(struct session *session, const struct record *record, errand_work_fn *work)
{
    struct errand *e = calloc(1, sizeof(*e));
    char *domain = strdup(record->name);
    if (e == NULL || domain == NULL) {
        free(e);
        free(domain);
        return NULL;
    }
    e->work = work;
    e->session = session;
    e->log = session->service->log;
    e->map = memctx_rammap_share(record->map);
    e->epoch = epoch_share(record->epoch);
    e->epoch_value = record->kernel_epoch;
    e->paging = record->datum.kernel.paging;
    e->kcr3 = record->datum.kernel.kcr3;
    e->domain = domain;
    e->uid = session->peer.uid;
    e->pid = session->peer.pid;
    e->page_fd = -1;
    e->last = &e->first;
    return e;
}

struct errand *
errand_create(struct session *session, const struct record *record,
              json_object *request, errand_work_fn *work,
              struct refusal *refusal)
{
    if (check_request_epoch(record, request, refusal) < 0 ||
        check_ready(record, refusal) < 0)
        return NULL;
    struct errand *e = make(session, record, work);
    if (e == NULL)
        refuse(refusal, REFUSAL_EXHAUSTED, "out of memory");
    return e;
}

static void
drop_answer(struct errand *e)
{
    while (e->first != NULL) {
        struct packet *packet = e->first;
        e->first = packet->next;
        packet_destroy(packet);
    }
    e->last = &e->first;
}

void
errand_destroy(struct errand *e)
{
    if (e == NULL)
        return;
    memctx_rammap_destroy(e->map);
    epoch_drop(e->epoch);
    json_object_put(e->reply);
    memctx_close_fd(&e->page_fd);
    drop_answer(e);
    free(e->domain);
    free(e);
}

int
errand_check_epoch(const struct errand *e, struct memctx_error *err)
{
    uint64_t now = epoch_get(e->epoch);
    if (now == e->epoch_value)
        return 0;
    if (now == STATEPAGE_OVER)
        return memctx_error_set(err, MEMCTX_GONE, "the domain has stopped");
    if (now == STATEPAGE_UNKNOWN)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "it is not known whether the kernel still "
                                "runs");
    return memctx_error_set(err, MEMCTX_STALE, "the kernel runs no more");
}

/* Nothing is done for a client that has left, nor with a kernel that is over; a
 * write is told to the log in any case. */
static int
carry_out(struct errand *e)
{
    if (atomic_load(&e->abandoned))
        return memctx_error_set(&e->err, MEMCTX_GONE, "the client has left");
    if (!e->settled && errand_check_epoch(e, &e->err) < 0)
        return -1;
    if (e->work(e, &e->err) < 0)
        return -1;
    return e->settled ? 0 : errand_check_epoch(e, &e->err);
}

/* RAM, and descriptors of it that nobody will get, are not held until the loop
 * has time: the domain may have ended, and its RAM goes with the last of them,
 * which takes a while. */
static void
work(struct offload_job *job)
{
    struct errand *e = (struct errand *)job;
    if (carry_out(e) == 0)
        e->err.kind = MEMCTX_OK;
    else
        drop_answer(e);
    memctx_rammap_destroy(memctx_steal_ptr(&e->map));
}

static int
send_answer(struct errand *e, struct session *session)
{
    struct refusal refusal;
    bool failed = e->err.kind != MEMCTX_OK;
    if (!failed && !e->settled)
        failed = errand_check_epoch(e, &e->err) < 0;
    if (failed) {
        refuse_error(&refusal, &e->err);
        return session_refuse(session, &refusal);
    }
    while (e->first != NULL) {
        struct packet *packet = e->first;
        e->first = packet->next;
        if (connection_send(session->connection, packet) < 0)
            return -1;
    }
    return 0;
}

static void
done(struct offload_job *job)
{
    struct errand *e = (struct errand *)job;
    struct session *session = e->session;
    int failed = 0;
    if (session != NULL) {
        session->errand = NULL;
        failed = send_answer(e, session);
    }
    errand_destroy(e);
    if (session != NULL)
        session->answered(session, failed);
}

void
errand_submit(struct errand *e)
{
    e->job.work = work;
    e->job.done = done;
    e->session->errand = e;
    offload_submit(e->session->service->requests, &e->job);
}

void
errand_abandon(struct errand *e)
{
    if (e == NULL)
        return;
    e->session = NULL;
    atomic_store(&e->abandoned, true);
}

void
errand_add(struct errand *e, struct packet *packet)
{
    packet->next = NULL;
    *e->last = packet;
    e->last = &packet->next;
}
