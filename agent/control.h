/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The control socket: SOCK_SEQPACKET, one JSON object a packet.
 *
 *   {"op":"list"}                  {"domains":[D...],"more":true} ...
 *                                  {"domains":[D...]}
 *   {"op":"show","domain":"web1"}  {"domain":D,"datum":"<memctx ..."}, no
 *                                  "datum" while the domain is not ready
 *   {"op":"wait","domain":"web1"}  the same, as soon as it is ready or
 *                                  unsupported; also for a domain yet to start
 *   anything else                  {"error":"..."}
 *
 * D is {"name","uuid","id","state","reason","generation"}; "reason" and
 * "generation" only where there is one. Described in memctxd(8). */
#ifndef MEMCTXD_CONTROL_H
#define MEMCTXD_CONTROL_H

#include "error.h"
#include "log.h"
#include "record.h"

#define CONTROL_SOCKET "control.sock"
#define CONTROL_REQUEST_MAX 4096 /* bytes */
#define CONTROL_REPLY_MAX (320 * 1024)

struct control;

/* Listen on DIR/control.sock (mode 0600: root and the agent's own user), on
 * libvirt's event loop. *records is the head of the list of all records and
 * may change between calls. -1 with PERMANENT. Loop thread. */
int control_create(const char *dir, struct record *const *records,
                   const struct log *log, struct control **ret,
                   struct memctx_error *err);

/* Close all; NULL is fine. Loop thread. */
void control_destroy(struct control *control);

/* A record's state or datum changed: answer who waits for it. Loop thread. */
void control_changed(struct control *control, const struct record *record);

#endif
