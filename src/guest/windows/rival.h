/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What can be said of kernels whose image is paged out, in part or as a whole:
 * whether one that was proven stands, and which of two runs. */
#ifndef MEMCTX_WINDOWS_RIVAL_H
#define MEMCTX_WINDOWS_RIVAL_H

#include <stdbool.h>

#include "guest/guest.h"

/* See memctx_guest_ops.stands: the root, the shared page and the System process
 * of a kernel that was proven. Its image may be paged out as it likes, headers
 * and exports with it. */
int memctx_windows_stands(const struct memctx_rammap *map,
                          const struct memctx_kernel *kernel,
                          struct memctx_error *err);

/* See memctx_guest_ops.outranks. Where both have the shared page in one place,
 * the clock in it is that of `kernel` if its System process began when the
 * clock says that the system did. */
bool memctx_windows_outranks(const struct memctx_rammap *map,
                             const struct memctx_rival *rival,
                             const struct memctx_kernel *kernel, bool moves);

#endif
