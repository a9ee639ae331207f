/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the files that make up a reader share. */
#ifndef MEMCTX_READER_H
#define MEMCTX_READER_H

#include "reader/memctx_agent.h"
#include "reader/lease.h"

struct memctx_reader {
    char dir[AGENT_DIR_MAX]; /* of the agent, */
    unsigned flags;          /* and those of the open, for renewing */
    unsigned renewals;       /* how often the lease has been another since */
    struct lease *lease;
};

/* The datum as a value; valid until renewed or closed. */
static inline const struct memctx_datum *
memctx_reader_datum(const struct memctx_reader *reader)
{
    return &reader->lease->datum;
}

/* What the agent said of the domain, as in its answer to "list"; valid as
 * above. */
static inline json_object *
memctx_reader_domain(const struct memctx_reader *reader)
{
    return reader->lease->domain;
}

#endif
