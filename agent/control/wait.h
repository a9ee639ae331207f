/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Clients that wait for a domain, or follow what becomes of it. Changes that
 * come faster than a client reads are told as one. Loop thread. */
#ifndef MEMCTXD_WAIT_H
#define MEMCTXD_WAIT_H

#include "control/session.h"

/* Tell what changed and was not told yet, as far as the client has room for
 * it. -1: it is to be dropped. */
int wait_tell(struct session *session);

/* The run of this domain is over. -1 as above. */
int wait_tell_gone(struct session *session, const struct record *record);

/* Wait for nothing any more. */
void wait_deinit(struct waiting *waiting);

#endif
