/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The connection to libvirt: opened, watched and re-opened by a thread of its
 * own, so that no other waits for libvirt. What it hears goes into a queue. */
#ifndef MEMCTXD_WATCH_H
#define MEMCTXD_WATCH_H

#include <libvirt/libvirt.h>
#include <stddef.h>

#include "base/error.h"
#include "common/log.h"
#include "watch/event.h"
#include "config/settings.h"

struct watch;

/* Start connecting. libvirt's event loop must have been registered before and
 * must be running in the calling thread soon. `queue`, `settings` and `log`
 * must outlive the watch. The first failure to connect is logged, then one
 * line whenever the reason changes. -1 with EXHAUSTED. */
int watch_create(const struct settings *settings, struct queue *queue,
                 const struct log *log, struct watch **ret,
                 struct memctx_error *err);

/* Close the connection and end the thread; waits for a libvirt call that is
 * under way. The event loop need not run any more. NULL is fine. */
void watch_destroy(struct watch *watch);

/* Something may have happened that nobody told: connect at once if libvirt is
 * away, else list its domains anew, at most once a second however often this
 * is called. Any thread. */
void watch_look_now(struct watch *watch);

/* The connection with a reference for the caller (virConnectClose), NULL while
 * libvirt is away. Any thread. */
virConnectPtr watch_connection(struct watch *watch);

#endif
