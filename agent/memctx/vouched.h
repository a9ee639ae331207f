/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Compares what stands in a domain's metadata, where others may write, too,
 * with what the agent vouches for. */
#ifndef MEMCTX_VOUCHED_H
#define MEMCTX_VOUCHED_H

#include <json-c/json.h>

#include "domain/domxml.h"
#include "memctx/invocation.h"

/* Ask the agent for the domain in `facts`. 0 and its answer, which is the
 * caller's to put; or -1: there is no agent, or it does not tell us, and *err
 * says which. */
int vouched_ask(const struct common_options *common,
                const struct memctx_domxml *facts, json_object **ret,
                struct memctx_error *err);

/* Is the datum in `facts` the one in the agent's answer? 0, and what there is
 * stands in `said`; or -1 with PERMANENT: how they differ and, behind "; ", the
 * cure. */
int vouched_compare(const struct memctx_domxml *facts, json_object *answer,
                    char *said, size_t size, struct memctx_error *err);

#endif
