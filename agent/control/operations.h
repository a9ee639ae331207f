/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What clients of the control socket may ask for, as a table. Loop thread.
 *
 * To add an operation: a row in the table in operations.c, its function below,
 * its right in access.h unless it shares one, man/memctx-control.pod. */
#ifndef MEMCTXD_OPERATIONS_H
#define MEMCTXD_OPERATIONS_H

#include "control/session.h"

/* Perform a request: its answer is queued, comes later (session->request), or
 * when there is something to say (session->waiting). The packet stays the
 * caller's; descriptors that an operation takes are taken out of it. -1: the
 * client is to be dropped. */
int operations_perform(struct session *session, struct packet *packet);

/* What every operation has: the parsed request. 0 when it is answered or under
 * way; -1 with *refusal, which the caller sends; -2: the client is to be
 * dropped. */
typedef int operation_fn(struct session *session, json_object *request,
                         struct packet *packet, struct refusal *refusal);

operation_fn operation_wait;
operation_fn operation_open;
operation_fn operation_read;
operation_fn operation_attach;
operation_fn operation_write;

/* {"name","uuid","id","state","reason","generation"} */
json_object *operations_describe(const struct record *record);

/* {"domain":D,"datum":"<memctx ..."}, the latter when it is ready. */
json_object *operations_show(const struct record *record);

#endif
