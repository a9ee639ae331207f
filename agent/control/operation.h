/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One thing that clients of the control socket may ask for.
 *
 * To add one: a file with its struct operation, a row in operations.c,
 * man/memctx-control.pod; its right in access.h, unless it shares one. What
 * takes guest memory or may wait is a request (request.h). */
#ifndef MEMCTXD_OPERATION_H
#define MEMCTXD_OPERATION_H

#include "control/session.h"

struct operation {
    const char *name;        /* what stands behind "op" */
    bool touches_ram;        /* of a guest: each request is on record */
    enum access_right right; /* that it takes, for the record; perform() checks
                                it. Where it touches RAM */
    bool takes_fds;          /* descriptors may come with it */
    /* Perform it, on the loop thread: 0 when it is answered or under way; -1
       with *refusal, which the caller sends; -2: the client is to be dropped.
       Descriptors that are taken are taken out of the packet. */
    int (*perform)(struct session *session, json_object *message,
                   struct packet *packet, struct refusal *refusal);
};

#endif
