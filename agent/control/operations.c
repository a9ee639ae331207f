/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of operations. */
#include "control/operations.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "control/operation.h"
#include "text/jsonguard.h"

/* Each stands in the file of its name. */
extern const struct operation attach_operation;
extern const struct operation hello_operation;
extern const struct operation list_operation;
extern const struct operation metrics_operation;
extern const struct operation open_operation;
extern const struct operation read_operation;
extern const struct operation show_operation;
extern const struct operation wait_operation;
extern const struct operation write_operation;

static const struct operation *const operations[] = {
    &attach_operation,  &hello_operation, &list_operation,
    &metrics_operation, &open_operation,  &read_operation,
    &show_operation,    &wait_operation,  &write_operation,
};

static const struct operation *
find(const char *name)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(operations); i++) {
        if (strcmp(name, operations[i]->name) == 0)
            return operations[i];
    }
    return NULL;
}

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    const char *name = message_text(message, "op");
    if (name == NULL)
        return refuse(refusal, REFUSAL_USAGE,
                      "expected a JSON object {\"op\":\"...\"}");
    if (session->waiting.follows)
        return refuse(refusal, REFUSAL_USAGE,
                      "this connection follows domains: it takes no more "
                      "requests");
    const struct operation *operation = find(name);
    if (operation == NULL)
        return refuse(refusal, REFUSAL_USAGE, "'%.40s' is no operation", name);
    if (packet->n_fds > 0 && !operation->takes_fds)
        return refuse(refusal, REFUSAL_USAGE, "'%s' takes no descriptors",
                      name);
    return operation->perform(session, message, packet, refusal);
}

/* Who asks for a guest's RAM is on record, whatever comes of it. A write that
 * is allowed is so by itself, with its outcome. */
static void
note(struct session *session, json_object *message, bool done,
     const struct refusal *refusal)
{
    const char *name = message_text(message, "op");
    const struct operation *operation = name != NULL ? find(name) : NULL;
    if (operation == NULL || !operation->touches_ram ||
        (done && operation->right == ACCESS_WRITE))
        return;
    const char *domain = message_text(message, "domain");
    const struct record *record =
        done && domain != NULL
            ? session_known(session, domain, operation->right)
            : NULL;
    const struct audit_request request = {
        .peer = &session->peer,
        .operation = operation->name,
        .domain = record != NULL ? record->name : domain,
        .uuid = record != NULL ? record->uuid : NULL,
        .refused = done ? NULL : refusal->message,
    };
    audit_note(session->service->audit, &request);
}

int
operations_perform(struct session *session, struct packet *packet)
{
    struct refusal refusal;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *message = message_parse(packet);
    int result = perform(session, message, packet, &refusal);
    if (result >= -1)
        note(session, message, result != -1, &refusal);
    if (result == -1)
        result = session_refuse(session, &refusal);
    return result < 0 ? -1 : 0;
}
