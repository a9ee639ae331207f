/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the agent answers to "open", taken apart and checked. */
#ifndef MEMCTX_HANDOFF_H
#define MEMCTX_HANDOFF_H

#include "reader/sight.h"

/* Take over the answer, and further packets from the sight's connection: its
 * epoch, UUID, datum and RAM. The sight's map is there and empty. -1 with
 * GONE: something is missing or odd, as with an agent of another version; the
 * sight is then only to be closed. */
int handoff_receive(struct sight *sight, struct client_packet *first,
                    struct memctx_error *err);

#endif
