/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation show: what is known of one domain. */
#include "control/describe.h"
#include "control/operation.h"

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    (void)packet;
    const struct record *record = session_find(
        session, message_text(message, "domain"), ACCESS_SHOW, refusal);
    if (record == NULL)
        return -1;
    return session_reply(
               session,
               describe_with_datum(record, message_flag(message, "silent"))) < 0
               ? -2
               : 0;
}

const struct operation show_operation = {.name = "show", .perform = perform};
