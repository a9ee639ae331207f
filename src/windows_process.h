/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The System process, by which a root proves to be the kernel's, and the list
 * of all processes that begins with it. */
#ifndef MEMCTX_WINDOWS_PROCESS_H
#define MEMCTX_WINDOWS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest.h"
#include "view.h"
#include "windows_image.h"

struct memctx_windows_system {
    uint64_t eprocess_gva;
    uint64_t dtb_gpa;     /* DirectoryTableBase, flag bits removed */
    uint64_t create_time; /* 100 ns since 1601; 0: not known */
    struct memctx_windows_offsets offsets;
};

/* Follow the image's PsInitialSystemProcess to an EPROCESS with pid 4 and name
 * "System". Offsets come from the code of the image's getters; where one
 * cannot be read, or leads elsewhere, the field is looked for, but its offset
 * stays 0. 0 and
 * *ret, which does not say that dtb_gpa is the root of `view`; or -1 with
 * RETRY or GONE. Any thread. */
int memctx_windows_system_read(struct memctx_view *view,
                               const struct memctx_windows_image *image,
                               struct memctx_windows_system *ret,
                               struct memctx_error *err);

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
