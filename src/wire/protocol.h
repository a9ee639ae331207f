/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Numbers of the control protocol that both sides must know; memctx-control(7)
 * is the contract. */
#ifndef MEMCTXD_PROTOCOL_H
#define MEMCTXD_PROTOCOL_H

#define CONTROL_SOCKET "control.sock"
#define CONTROL_VERSION 2
#define CONTROL_REQUEST_MAX 4096 /* bytes */
#define CONTROL_REPLY_MAX (320 * 1024)
#define CONTROL_READ_MAX (128u * 1024) /* bytes of guest memory in a reply */
#define CONTROL_WRITE_MAX 192          /* bytes that a request may write */
#define CONTROL_FDS_MAX 128            /* in one packet; the kernel takes 253 */

#endif
