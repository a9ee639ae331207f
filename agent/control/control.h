/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The control socket: SOCK_SEQPACKET, one JSON object a packet. The protocol is
 * memctx-control(7), who may do what is memctxd.conf(5), key access. */
#ifndef MEMCTXD_CONTROL_H
#define MEMCTXD_CONTROL_H

#include "base/error.h"
#include "control/service.h"
#include "text/text.h"

struct control;
struct record;

/* Listen on DIR/control.sock (mode 0600: root and the agent's own user; 0666
 * when there are rules for others), on libvirt's event loop. Copies *service;
 * what that names must outlive the control. -1 with PERMANENT. Loop thread. */
int control_create(const char *dir, const struct service *service,
                   struct control **ret, struct memctx_error *err);

/* Add what is measured of the agent and of all domains, as Prometheus' text.
 * Loop thread. */
void control_measure(const struct control *control, struct memctx_text *text);

/* Bind the socket again if it is gone, as listener_refresh(). Loop thread. */
int control_refresh(struct control *control, struct memctx_error *err);

/* The rules of access have changed: who may do nothing any more is hung up on.
 * Loop thread. */
void control_reload(struct control *control);

/* Close all; NULL is fine. Loop thread. */
void control_destroy(struct control *control);

/* A record's state, reason or datum changed: tell who waits for it. Loop
 * thread. */
void control_changed(struct control *control, struct record *record);

/* The run of a domain is over, as its epoch shows; its record is about to go.
 * Loop thread. */
void control_gone(struct control *control, const struct record *record);

#endif
