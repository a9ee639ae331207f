/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Offsets as in the public _KUSER_SHARED_DATA (ntddk.h), the same in every
 * release but for NtBuildNumber, which came with build 10240. */
#include "guest/windows/kuser.h"

#include <inttypes.h>

#define KUSER_64 UINT64_C(0xfffff78000000000)
#define KUSER_32 UINT64_C(0xffdf0000)

#define INTERRUPT_TIME 0x08u
#define SYSTEM_TIME 0x14u
#define BUILD 0x260u
#define MAJOR 0x26cu
#define MINOR 0x270u
#define TICK_COUNT 0x320u
#define KUSER_LEN 0x328u

#define SECOND UINT64_C(10000000) /* in units of 100 ns */
#define CREATED_BEFORE (3 * SECOND)
#define CREATED_AFTER (30 * SECOND)

#define FIRST_BUILD_WITH_NUMBER 10240u

static bool
is_version(uint32_t major, uint32_t minor)
{
    return (major == 6 && minor >= 1 && minor <= 3) ||
           (major == 10 && minor == 0);
}

int
memctx_windows_kuser_read(struct memctx_view *view,
                          struct memctx_windows_kuser *ret,
                          struct memctx_error *err)
{
    uint64_t gva = memctx_view_pointer_size(view) == 8 ? KUSER_64 : KUSER_32;
    unsigned char raw[KUSER_LEN];
    struct memctx_walk walk;
    if (memctx_paging_walk(view->map, view->paging, view->root_gpa, gva, &walk,
                           err) < 0 ||
        memctx_view_read(view, gva, raw, sizeof(raw), err) < 0)
        return memctx_error_prefix(err, "KUSER_SHARED_DATA");
    struct memctx_windows_kuser kuser = {
        .gpa = walk.gpa,
        .major = memctx_le32(raw + MAJOR),
        .minor = memctx_le32(raw + MINOR),
        .build = memctx_le32(raw + BUILD) & UINT16_MAX,
        .interrupt_time = memctx_le64(raw + INTERRUPT_TIME),
        .system_time = memctx_le64(raw + SYSTEM_TIME),
    };
    if (!is_version(kuser.major, kuser.minor))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "KUSER_SHARED_DATA at gpa %#" PRIx64
                                " has version %" PRIu32 ".%" PRIu32
                                ", expected 6.1 to 10.0",
                                kuser.gpa, kuser.major, kuser.minor);
    if (kuser.major < 10 || kuser.build < FIRST_BUILD_WITH_NUMBER)
        kuser.build = 0;
    *ret = kuser;
    return 0;
}

bool
memctx_windows_is_start(const struct memctx_windows_kuser *kuser, uint64_t time)
{
    uint64_t started = kuser->system_time - kuser->interrupt_time;
    return kuser->interrupt_time <= kuser->system_time &&
           started >= CREATED_BEFORE && time >= started - CREATED_BEFORE &&
           time <= started + CREATED_AFTER;
}

/* A KSYSTEM_TIME is LowPart, High1Time, High2Time: its first 64 bits are the
 * time, in units of 100 ns; ticks are slower. */
int
memctx_windows_clocks(const struct memctx_rammap *map,
                      const struct memctx_kernel *kernel,
                      struct memctx_clocks *ret, struct memctx_error *err)
{
    static const unsigned offsets[] = {INTERRUPT_TIME, SYSTEM_TIME, TICK_COUNT};
    uint64_t kuser_gpa = kernel->wall_clock.page_gpa;
    unsigned char raw[KUSER_LEN];
    if (memctx_rammap_read(map, kuser_gpa, raw, sizeof(raw), err) < 0)
        return memctx_error_prefix(err, "KUSER_SHARED_DATA");
    ret->per_second = 10000000;
    ret->least = 0;
    ret->n = MEMCTX_ARRAY_LEN(offsets);
    for (size_t i = 0; i < ret->n; i++)
        ret->clock[i] = (struct memctx_clock){kuser_gpa + offsets[i],
                                              memctx_le64(raw + offsets[i])};
    return 0;
}
