/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Keeps the metadata of the agent's domains as they should be: brings the guard
 * what libvirt tells and the time, and has the publisher compare and repair.
 * Loop thread only. */
#ifndef MEMCTXD_UPKEEP_H
#define MEMCTXD_UPKEEP_H

#include "domains.h"
#include "watch/event.h"

struct upkeep;

/* On libvirt's event loop. All are borrowed. -1 with EXHAUSTED. */
int upkeep_create(struct domains *domains, const struct log *log,
                  struct upkeep **ret, struct memctx_error *err);

/* NULL is fine. */
void upkeep_destroy(struct upkeep *upkeep);

/* One of EVENT_METADATA, EVENT_CHECKED, EVENT_DOMAIN, and EVENT_LISTED, after
 * the domains were told. */
void upkeep_handle(struct upkeep *upkeep, const struct event *event);

#endif
