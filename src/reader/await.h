/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Waits on a connection until a domain's kernel is known. */
#ifndef MEMCTX_AWAIT_H
#define MEMCTX_AWAIT_H

#include <stdint.h>

#include "reader/client.h"
#include "base/error.h"

/* The monotonic time, in ms, at which a wait of timeout_ms ends; -1: never. */
int64_t await_deadline(int timeout_ms);

/* Wait until `domain` is ready; timeout_ms as in memctx_agent_wait(), whose
 * errors these are. After a failure the connection is good for nothing but to
 * be closed: the answer may still come. */
int await_ready(struct client *client, const char *domain, int timeout_ms,
                struct memctx_error *err);

#endif
