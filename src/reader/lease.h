/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the agent gave in answer to one "open": one kernel and the RAM it runs
 * in, laid out as it was then. It holds while the kernel's epoch does. A reader
 * that is renewed gets another lease. */
#ifndef MEMCTX_LEASE_H
#define MEMCTX_LEASE_H

#include <json-c/json.h>

#include "base/error.h"
#include "base/uuid.h"
#include "datum/datum.h"
#include "ram/rammap.h"
#include "reader/client.h"
#include "reader/remote.h"
#include "reader/tables.h"
#include "reader/validity.h"

struct lease {
    struct client *client; /* the connection by which it came */
    struct validity validity;
    char uuid[MEMCTX_UUID_TEXT_SIZE];
    json_object *domain; /* as the agent describes it */
    struct memctx_datum datum;
    char *json; /* of the datum; NULL while there is none */
    json_object *facts;
    struct memctx_rammap *map;
    struct tables *tables;
    int fds[MEMCTX_BACKENDS_MAX];               /* the map's; -1: none */
    struct remote remotes[MEMCTX_BACKENDS_MAX]; /* of those without */
    unsigned n_backends;
    struct memctx_error failure; /* of a backend, while a read is under way */
};

/* Close all that came with it, and free it. NULL is fine. */
void lease_close(struct lease *lease);
void lease_cleanup(struct lease **lease);

/* Whoever reads its map does so between these two, and believes nothing before
 * the second one has returned. 0, or -1 with STALE, RETRY or GONE: the kernel
 * is not known to run there any more. */
int lease_begin(struct lease *lease, struct memctx_error *err);

/* `result` is what came of reading, less than 0 if it failed, and *why then
 * says why. Returns it if it is what counts, else -1 as above or as *why. */
int lease_end(struct lease *lease, int result, const struct memctx_error *why,
              struct memctx_error *err);

#endif
