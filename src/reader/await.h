/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Waits on a connection until a domain's kernel can be read. */
#ifndef MEMCTX_AWAIT_H
#define MEMCTX_AWAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/client.h"
#include "base/error.h"

/* The monotonic time, in ms, at which a wait of timeout_ms ends; -1: never. */
int64_t await_deadline(int timeout_ms);

/* Wait until `domain` is ready, or silent with a datum where that is taken;
 * timeout_ms as in memctx_agent_wait(), whose errors these are. After a failure
 * the connection is good for nothing but to be closed: the answer may still
 * come. */
int await_domain(struct client *client, const char *domain, int timeout_ms,
                 bool takes_silent, struct memctx_error *err);

#endif
