/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The list of all processes, which begins with System. */
#ifndef MEMCTX_WINDOWS_PROCESS_H
#define MEMCTX_WINDOWS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "guest/kernel.h"
#include "ram/rammap.h"

/* See memctx_guest_ops.processes: System first, by walking ActiveProcessLinks
 * forwards. -1 with RETRY: an offset is not known, the list is broken, runs in
 * a circle that leaves out its beginning, or has more than `max`. About 32
 * reads a process. Any thread. */
int memctx_windows_processes(const struct memctx_rammap *map,
                             const struct memctx_kernel *kernel,
                             struct memctx_process *ret, size_t max, size_t *n,
                             struct memctx_error *err);

#endif
