/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All that clients of the control socket may ask for. */
#ifndef MEMCTXD_OPERATIONS_H
#define MEMCTXD_OPERATIONS_H

#include "control/session.h"

/* Perform what a packet asks for: its answer is queued, comes later
 * (session->busy), or when there is something to say (session->waiting). The
 * packet stays the caller's; descriptors that an operation takes are taken out
 * of it. -1: the client is to be dropped. Loop thread. */
int operations_perform(struct session *session, struct packet *packet);

#endif
