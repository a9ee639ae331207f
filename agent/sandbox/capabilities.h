/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Gives up capabilities of the calling thread. */
#ifndef MEMCTXD_CAPABILITIES_H
#define MEMCTXD_CAPABILITIES_H

#include <stdbool.h>

#include "base/error.h"

/* Have none that a program started from now on would inherit (ambient). The
 * thread keeps its own. No failure: a kernel without ambient capabilities
 * (before Linux 4.3) has none to clear. */
void capabilities_clear_ambient(void);

/* Have none at all, and no way to any: ambient, permitted, effective and
 * inheritable ones go, and no_new_privs keeps execve(2) from giving some. The
 * bounding set is emptied, too, where the thread may do that (CAP_SETPCAP);
 * beside no_new_privs it gives nothing. -1 with BUG. */
int capabilities_drop(struct memctx_error *err);

/* Is this one (CAP_FOWNER, ...) effective in the calling thread? */
bool capabilities_has(unsigned capability);

#endif
