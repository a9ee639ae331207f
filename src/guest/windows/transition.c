/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads MMPTE_TRANSITION, as public symbols have it: bit 10 Prototype, bit 11
 * Transition, PageFrameNumber from bit 12 on; and since build 18362 bit 4
 * SwizzleBit. */
#include "guest/windows/transition.h"

#define SWIZZLED_NOT (UINT64_C(1) << 4)
#define PROTOTYPE (UINT64_C(1) << 10)
#define TRANSITION (UINT64_C(1) << 11)

/* Of an entry that no processor may follow by mistake (L1TF) Windows has set
 * address bits that no RAM has, unless SwizzleBit says that it has not. What
 * those bits are only the kernel knows: they are above RAM. */
static uint64_t
frame_of(const struct memctx_rammap *map, uint64_t entry)
{
    uint64_t frame = entry & MEMCTX_PTE_BITS(47, 12);
    uint64_t end = memctx_rammap_end(map);
    if ((entry & SWIZZLED_NOT) != 0 || end == 0)
        return frame;
    return frame & (UINT64_MAX >> __builtin_clzll((end - 1) | 1));
}

uint64_t
memctx_windows_soft(const struct memctx_rammap *map, uint64_t entry)
{
    if ((entry & (MEMCTX_PTE_PRESENT | PROTOTYPE | TRANSITION)) != TRANSITION)
        return 0;
    return frame_of(map, entry) | MEMCTX_PTE_PRESENT;
}

void
memctx_windows_view_init(struct memctx_view *view,
                         const struct memctx_rammap *map,
                         enum memctx_paging paging, uint64_t root_gpa)
{
    memctx_view_init(view, map, paging, root_gpa);
    view->soft = memctx_windows_soft;
}
