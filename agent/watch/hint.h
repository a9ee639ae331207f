/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The socket on which libvirt's hook script says "look now". What comes there
 * is a hint: who sends too many, or lies, makes the agent list its domains
 * once more, and nothing else. */
#ifndef MEMCTXD_HINT_H
#define MEMCTXD_HINT_H

#include "base/error.h"
#include "watch/watch.h"

#define HINT_SOCKET "hint.sock"

struct hint;

/* Receive datagrams on DIR/hint.sock (mode 0600), on libvirt's event loop, and
 * call watch_look_now() once for all that came in one turn. -1 with PERMANENT.
 * Loop thread. */
int hint_create(const char *dir, struct watch *watch, struct hint **ret,
                struct memctx_error *err);

/* Bind the socket again if it does not stand in its directory any more. 1: it
 * was; 0: it stands; -1 as above, and a later call tries again. */
int hint_refresh(struct hint *hint, struct memctx_error *err);

/* NULL is fine. Loop thread. */
void hint_destroy(struct hint *hint);

#endif
