/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation write: what it takes, and a walk to the address; ramwrite.c
 * does it. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "control/operation.h"
#include "control/ramwrite.h"
#include "control/request.h"
#include "text/jsonguard.h"

struct write_request {
    struct request request; /* first */
    struct walk walk;
    struct ramwrite write;
    char *domain; /* the name of write.domain */
    char program[PEER_PROGRAM_SIZE];
};

static int
write_memory(struct request *request, struct memctx_error *err)
{
    const struct write_request *w = (struct write_request *)request;
    if (ramwrite(&w->write, err) < 0)
        return -1;
    json_object *answer = json_object_new_object();
    json_object_object_add(answer, "size", memctx_json_hex(w->write.len_bytes));
    return request_add_object(request, answer, err);
}

static void
deinit(struct request *request)
{
    struct write_request *w = (struct write_request *)request;
    free(w->domain);
}

static const struct request_ops ops = {
    .work = write_memory, .deinit = deinit, .is_final = true};

/* Two digits a byte, nothing between. */
static int
parse_hex(struct ramwrite *write, const char *hex, struct refusal *refusal)
{
    if (hex == NULL ||
        !memctx_number_parse_bytes(hex, write->bytes, sizeof(write->bytes),
                                   &write->len_bytes))
        return refuse(refusal, REFUSAL_USAGE,
                      "\"hex\" wants 1 to %d bytes, two digits each",
                      CONTROL_WRITE_MAX);
    return 0;
}

static int
parse_address(struct ramwrite *write, json_object *message,
              struct refusal *refusal)
{
    uint64_t last;
    int has = message_number(message, "gva", &write->gva, refusal);
    if (has == 0)
        return refuse(refusal, REFUSAL_USAGE, "write wants a \"gva\"");
    if (has > 0 && !memctx_add(write->gva, write->len_bytes - 1, &last))
        return refuse(refusal, REFUSAL_USAGE,
                      "the range reaches beyond the last address");
    return has < 0 ? -1 : 0;
}

/* What ramwrite() needs beside the bytes. */
static int
say_who(struct write_request *w, const struct session *session,
        const struct record *record, struct refusal *refusal)
{
    w->domain = strdup(record->name);
    if (w->domain == NULL)
        return refuse(refusal, REFUSAL_EXHAUSTED, "out of memory");
    w->write.kernel = &w->request.kernel;
    w->write.found = &w->walk.result;
    w->write.log = session->service->log;
    w->write.domain = w->domain;
    w->write.uid = session->peer.uid;
    w->write.pid = session->peer.pid;
    memcpy(w->program, session->peer.program, sizeof(w->program));
    w->write.program = w->program;
    return 0;
}

/* The client leaves before the walk has ended. */
static void
abandon(struct task *task)
{
    struct write_request *w =
        MEMCTX_CONTAINER_OF(task, struct write_request, request.task);
    walks_cancel(w->request.session->service->walks, &w->walk);
    request_destroy(&w->request);
}

/* Also where it found nothing: the log is to tell of the write. */
static void
on_walked(struct walk *walk)
{
    struct write_request *w =
        MEMCTX_CONTAINER_OF(walk, struct write_request, walk);
    request_submit(&w->request);
}

static void
start_walk(struct write_request *w, struct session *session)
{
    w->walk.kernel = &w->request.kernel;
    w->walk.gva = w->write.gva;
    w->walk.len_bytes = (uint32_t)w->write.len_bytes;
    w->walk.done = on_walked;
    w->request.task.abandon = abandon;
    session->busy = &w->request.task;
    walks_begin(session->service->walks, &w->walk);
}

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    (void)packet;
    const struct record *record = session_find(
        session, message_text(message, "domain"), ACCESS_WRITE, refusal);
    if (record == NULL)
        return -1;
    struct write_request *w =
        request_create(sizeof(*w), &ops, session, record, message, refusal);
    if (w == NULL)
        return -1;
    if (parse_hex(&w->write, message_text(message, "hex"), refusal) < 0 ||
        parse_address(&w->write, message, refusal) < 0 ||
        say_who(w, session, record, refusal) < 0) {
        request_destroy(&w->request);
        return -1;
    }
    start_walk(w, session);
    return 0;
}

const struct operation write_operation = {.name = "write",
                                          .perform = perform,
                                          .touches_ram = true,
                                          .right = ACCESS_WRITE};
