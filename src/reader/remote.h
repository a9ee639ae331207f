/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM that has no descriptor: the agent reads it, on request. */
#ifndef MEMCTX_REMOTE_H
#define MEMCTX_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/client.h"
#include "base/error.h"
#include "ram/rammap.h"

/* One backend that is read so; the `arg` of its source. It must outlive the
 * map. */
struct remote {
    struct client *client;
    const char *domain; /* its UUID */
    uint64_t epoch;
    bool takes_silent;               /* it need not run */
    const struct memctx_rammap *map; /* that it belongs to */
    unsigned backend;                /* in that map */
    struct memctx_error
        *failure; /* what went wrong: a backend has only errno */
};

extern const struct memctx_backend_io remote_io;

#endif
