/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where the agent's directories are; agent and memctx must agree on that of the
 * sockets. */
#ifndef MEMCTXD_RUNDIR_H
#define MEMCTXD_RUNDIR_H

#include <stddef.h>

#include "base/error.h"

/* XDG_RUNTIME_DIR, or $HOME/.cache without it, as libvirt does. -1: neither
 * is set, or it does not fit. */
int rundir_of_user(char *to, size_t size);

/* The agent's directory for a libvirt URI (NULL or "": LIBVIRT_DEFAULT_URI,
 * or else libvirt's own choice: system for root, session for others):
 * /run/memctxd, or memctxd in the user's directory for any session URI, and
 * for the test driver unless root runs it. -1 with PERMANENT: as above, or the
 * URI is none of this host (uri.h). */
int rundir_for_uri(const char *uri, char *to, size_t size,
                   struct memctx_error *err);

/* Where the agent's own hook scripts are: SYSCONFDIR/memctxd/hooks.d for a URI
 * whose agent is in /run, else memctxd/hooks.d in $XDG_CONFIG_HOME or, without
 * it, $HOME/.config. -1 as for the agent's directory. */
int rundir_hooks_for_uri(const char *uri, char *to, size_t size,
                         struct memctx_error *err);

/* Where the agent keeps what is to outlive it and the host's next boot: boots
 * in runtime_dir, if that was named (not "" nor NULL); else in /var/lib/memctxd
 * for a URI whose agent is in /run, or memctxd in $XDG_STATE_HOME or, without
 * it, $HOME/.local/state. -1 as for the agent's directory. */
int rundir_boots_for_uri(const char *uri, const char *runtime_dir, char *to,
                         size_t size, struct memctx_error *err);

#endif
