/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the agent answers to "open", taken apart and checked. */
#ifndef MEMCTX_OPENREPLY_H
#define MEMCTX_OPENREPLY_H

#include "reader/lease.h"

/* Take over the answer, and further packets from the lease's connection: its
 * epoch, UUID, datum and RAM. The lease's map is there and empty. -1 with
 * GONE: something is missing or odd, as with an agent of another version; the
 * lease is then only to be closed. */
int openreply_receive(struct lease *lease, struct client_packet *first,
                      struct memctx_error *err);

#endif
