/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The operation hello: which agent this is. */
#include "control/operation.h"

static int
perform(struct session *session, json_object *message, struct packet *packet,
        struct refusal *refusal)
{
    (void)message;
    (void)packet;
    (void)refusal;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "memctx",
                           json_object_new_int(CONTROL_VERSION));
    json_object_object_add(object, "version",
                           json_object_new_string(PACKAGE_VERSION));
    return session_reply(session, object) < 0 ? -2 : 0;
}

const struct operation hello_operation = {.name = "hello", .perform = perform};
