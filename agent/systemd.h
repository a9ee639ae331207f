/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The agent as a unit of systemd: says when it is ready, how it is, that it
 * reads its configuration again, that it stops; and shows that the event loop
 * turns. It looks at the agent, which knows nothing of it. Loop thread. */
#ifndef MEMCTXD_SYSTEMD_H
#define MEMCTXD_SYSTEMD_H

#include "agent.h"
#include "common/notify.h"

struct systemd;

/* On libvirt's event loop. Both are borrowed. -1 with EXHAUSTED. */
int systemd_create(const struct notify *notify, const struct agent *agent,
                   struct systemd **ret, struct memctx_error *err);

/* NULL is fine. */
void systemd_destroy(struct systemd *systemd);

/* A turn of the loop is over: tell what has changed. The agent is ready once
 * libvirt was reached, so that the first list of domains is under way; and
 * after five seconds without libvirt, for which nobody should wait. */
void systemd_look(struct systemd *systemd);

/* The configuration is being read again; and that is over. */
void systemd_reloading(struct systemd *systemd);
void systemd_reloaded(struct systemd *systemd);

#endif
