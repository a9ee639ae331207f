/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A socket of the agent's that others connect to. It knows nobody: who comes is
 * its owner's matter. Loop thread only. */
#ifndef MEMCTXD_LISTENER_H
#define MEMCTXD_LISTENER_H

#include <sys/types.h>

#include "base/error.h"

struct listener;

/* Somebody has connected; `fd` is yours, non-blocking. */
typedef void listener_accepted_fn(void *arg, int fd);

/* Listen on DIR/name (a constant), SOCK_SEQPACKET, with this mode, on libvirt's
 * event loop. When there are no descriptors left nobody is let in for a while.
 * -1 with PERMANENT or EXHAUSTED. */
int listener_create(const char *dir, const char *name, mode_t mode,
                    listener_accepted_fn *accepted, void *arg,
                    struct listener **ret, struct memctx_error *err);

/* Bind the socket again if it does not stand in its directory any more, or did
 * not the last time. 1: it was bound again; 0: it stands; -1 as above, and
 * nobody is let in until a later call succeeds. */
int listener_refresh(struct listener *listener, struct memctx_error *err);

/* Who may connect changes: another socket takes the place of this one. Who had
 * connected is let in first. -1 as above, and nobody is let in until
 * listener_refresh() succeeds. */
int listener_set_mode(struct listener *listener, mode_t mode,
                      struct memctx_error *err);

/* Close the socket and remove it; NULL is fine. */
void listener_destroy(struct listener *listener);

#endif
