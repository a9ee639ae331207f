/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All that a reader has of one kernel in one layout of RAM: what the agent
 * answered to one "open", and the connection that it came by. A reader that is
 * renewed gets another sight. */
#ifndef MEMCTX_SIGHT_H
#define MEMCTX_SIGHT_H

#include <json-c/json.h>

#include "base/uuid.h"
#include "reader/client.h"
#include "datum/datum.h"
#include "base/error.h"
#include "ram/rammap.h"
#include "reader/remote.h"
#include "reader/tables.h"
#include "reader/vigil.h"

struct sight {
    struct client *client;
    struct vigil vigil;
    char uuid[MEMCTX_UUID_TEXT_SIZE];
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

/* Connect to the agent in `dir`, wait for the domain and open it; as
 * memctx_reader_open(). The caller closes it. */
int sight_open(const char *dir, const char *domain, int timeout_ms,
               struct sight **ret, struct memctx_error *err);
void sight_close(struct sight *sight); /* NULL is fine */

#endif
