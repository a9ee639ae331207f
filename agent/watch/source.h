/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What libvirt says of domains, by callbacks and by lists, as events in a
 * queue. */
#ifndef MEMCTXD_SOURCE_H
#define MEMCTXD_SOURCE_H

#include <libvirt/libvirt.h>

#include "common/log.h"
#include "watch/event.h"

enum {
    SOURCE_LIFECYCLE,
    SOURCE_REBOOT,
    SOURCE_DEVICE_ADDED,
    SOURCE_DEVICE_REMOVED,
    SOURCE_MEMORY_SIZE,
    SOURCE_METADATA,
    SOURCE_CALLBACKS
};

/* Embedded by the owner. */
struct source {
    struct queue *queue;
    const struct log *log;
    int callbacks[SOURCE_CALLBACKS]; /* libvirt's; -1: none */
};

/* Both are borrowed. */
void source_init(struct source *source, struct queue *queue,
                 const struct log *log);

/* Have libvirt call back, on the thread that runs its event loop; the source
 * must stay where it is. 0, or -1 when one of the callbacks was refused: an
 * agent that hears nothing would look healthy. */
int source_register(struct source *source, virConnectPtr connection);

/* Libvirt calls back no more. */
void source_deregister(struct source *source, virConnectPtr connection);

/* Push an event for each domain that runs, and EVENT_LISTED behind them. -1:
 * libvirt did not answer; what was pushed is no list then. May wait. */
int source_list(struct source *source, virConnectPtr connection);

#endif
