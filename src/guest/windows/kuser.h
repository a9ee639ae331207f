/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* KUSER_SHARED_DATA: a page at a fixed address of every Windows, with its
 * version and its clocks. */
#ifndef MEMCTX_WINDOWS_KUSER_H
#define MEMCTX_WINDOWS_KUSER_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/guest.h"
#include "paging/view.h"

struct memctx_windows_kuser {
    uint64_t gpa;
    uint32_t major; /* NtMajorVersion: 6 or 10 */
    uint32_t minor;
    uint32_t build; /* 0: not there; only Windows 10 and later have it */
    uint64_t interrupt_time; /* 100 ns since the system began */
    uint64_t system_time;    /* 100 ns since 1601 */
};

/* Read and judge the page. 0, or -1 with RETRY: not mapped, or its version is
 * none of Windows 7 to 11; or GONE. Any thread. */
int memctx_windows_kuser_read(struct memctx_view *view,
                              struct memctx_windows_kuser *ret,
                              struct memctx_error *err);

/* Does the clock say that the system began at about this time? A System process
 * is created within seconds after the clock has begun; but the clock is set now
 * and then. */
bool memctx_windows_is_start(const struct memctx_windows_kuser *kuser,
                             uint64_t time);

/* See memctx_guest_ops.clocks: InterruptTime, SystemTime and TickCount. One
 * read. */
int memctx_windows_clocks(const struct memctx_rammap *map,
                          const struct memctx_kernel *kernel,
                          struct memctx_clocks *ret, struct memctx_error *err);

#endif
