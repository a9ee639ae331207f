/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The list of all processes, which begins with System. */
#ifndef MEMCTX_WINDOWS_PROCESS_H
#define MEMCTX_WINDOWS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "guest/kernel.h"
#include "ram/rammap.h"

#define MEMCTX_WINDOWS_NAME_MAX 16 /* ImageFileName: 14 characters and NUL */

struct memctx_windows_process {
    uint64_t pid;
    uint64_t eprocess_gva;
    uint64_t dtb_gpa;
    char name[MEMCTX_WINDOWS_NAME_MAX]; /* printable ASCII */
};

/* List the processes of a kernel that was found, System first, by walking
 * ActiveProcessLinks forwards: up to `max` into ret, their number into *n. 0
 * when the list closed; else -1 with RETRY, and *n still says how many came
 * before: an offset is not known, the list is broken, runs in a circle that
 * leaves out its beginning, or has more than `max`. GONE as always. About 32
 * reads a process; time grows with the square of `max`. Any thread. */
int memctx_windows_processes(const struct memctx_rammap *map,
                             const struct memctx_kernel *kernel,
                             struct memctx_windows_process *ret, size_t max,
                             size_t *n, struct memctx_error *err);

#endif
