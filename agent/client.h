/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx's side of the control socket. */
#ifndef MEMCTX_CLIENT_H
#define MEMCTX_CLIENT_H

#include <json-c/json.h>
#include <stdint.h>

#include "error.h"
#include "options.h"

/* Connect to the agent that the options name. 0 and a descriptor, which the
 * caller closes; -1 with PERMANENT: which agent is not there. */
int client_connect(const struct options *options, int *ret,
                   struct memctx_error *err);

/* Send {"op":op,"domain":domain} (without the latter if it is NULL). */
int client_request(int fd, const char *op, const char *domain,
                   struct memctx_error *err);

/* Wait for a reply, until the monotonic time deadline_ms (-1: for ever). 1 and
 * an object, which the caller puts; 0: the time is over; -1 with PERMANENT:
 * the agent went away, or answered with an error. */
int client_reply(int fd, int64_t deadline_ms, json_object **ret,
                 struct memctx_error *err);

#endif
