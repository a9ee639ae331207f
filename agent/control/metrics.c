/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation metrics: all that is measured, in a file. A thousand domains
 * have more than fits into packets. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "control/measures.h"
#include "control/operation.h"
#include "text/jsonguard.h"

static bool
may_list(void *arg, const struct record *record)
{
    return session_may(arg, ACCESS_LIST, record);
}

/* In memory, so that writing does not wait; sealed, so that no receiver has
 * anything to write to. */
static int
make_file(const struct memctx_text *text, int *ret, struct refusal *refusal)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = memfd_create("memctx-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || text->failed ||
        write(fd, text->bytes, text->len_bytes) != (ssize_t)text->len_bytes ||
        fcntl(fd, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
        return refuse(refusal, REFUSAL_EXHAUSTED,
                      "no memory or descriptor for the metrics");
    *ret = memctx_steal_fd(&fd);
    return 0;
}

static int
answer(struct session *session, const struct memctx_text *text,
       struct refusal *refusal)
{
    int fd = -1;
    if (make_file(text, &fd, refusal) < 0)
        return -1;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "size", memctx_json_hex(text->len_bytes));
    struct packet *packet = message_packet(object);
    if (packet == NULL) {
        close(fd);
        return -2;
    }
    packet->fds[packet->n_fds++] = fd;
    return connection_send(session->connection, packet) < 0 ? -2 : 0;
}

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    const char *format = message_text(message, "format");
    struct memctx_text text = MEMCTX_TEXT_INIT;
    struct measures_wish wish = {.may = may_list, .arg = session};
    (void)packet;
    if (format != NULL && strcmp(format, "prometheus") == 0)
        wish.spelling = EXPOSITION_PROMETHEUS;
    else if (format != NULL && strcmp(format, "openmetrics") != 0)
        return refuse(refusal, REFUSAL_USAGE,
                      "\"format\" wants openmetrics or prometheus");
    if (!access_may_some(session->service->access, &session->peer, ACCESS_LIST))
        return session_deny(session, ACCESS_LIST, NULL, refusal);
    if (!connection_is_read(session->connection))
        return refuse(refusal, REFUSAL_RETRY,
                      "take the replies to earlier requests first");
    measures_write(session->service, &wish, &text);
    int failed = answer(session, &text, refusal);
    memctx_text_deinit(&text);
    return failed;
}

const struct operation metrics_operation = {.name = "metrics",
                                            .perform = perform};
