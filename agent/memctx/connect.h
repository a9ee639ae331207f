/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The ways to the agent that --connect and --runtime-dir name, and through it
 * to a domain's RAM. */
#ifndef MEMCTX_CONNECT_H
#define MEMCTX_CONNECT_H

#include "memctx.h"
#include "memctx/invocation.h"
#include "reader/client.h"

/* A connection for requests of one's own; the caller destroys it. -1 with
 * PERMANENT: there is no such agent, or it speaks another protocol. */
int connect_client(const struct common_options *common, struct client **ret,
                   struct memctx_error *err);

/* A connection for libmemctx; the caller disconnects it. -1 as above. */
int connect_agent(const struct common_options *common,
                  struct memctx_agent **ret, struct memctx_error *err);

/* Open a domain, waiting at most timeout_ms for it to be ready or silent (-1:
 * not at all); of one that is silent standard error is told. The caller closes
 * it. An exit code; if it is not EXIT_DONE, the reason has been printed. */
enum exit_code connect_reader(const struct common_options *common,
                              const char *domain, int64_t timeout_ms,
                              struct memctx_reader **ret);

/* The monotonic time in ms at which a wait of timeout_ms ends (-1: never), for
 * client_reply(). */
int64_t connect_deadline(int64_t timeout_ms);

void connect_cleanup_agent(struct memctx_agent **agent);
void connect_cleanup_reader(struct memctx_reader **reader);

#endif
