/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds words that look like jiffies_64 around the root of a Linux kernel. */
#include "linux_clock.h"

#include "bytes.h"

#define CHUNK (64 * MEMCTX_KIB)
#define CHUNKS 16u /* looked at, from the root's outwards */
#define HZ_MAX 1000u
#define JIFFIES_MIN (UINT64_C(0x100000000) - 300 * HZ_MAX)
#define JIFFIES_MAX (JIFFIES_MIN + (UINT64_C(1) << 37)) /* 4 years at 1000 */

/* Where the n-th chunk is: the root's own, the one below, the one above, the
 * second below, ... False when it is not all RAM. */
static bool
locate_chunk(const struct memctx_rammap *map, uint64_t root_gpa, uint32_t n,
             uint64_t *gpa)
{
    uint64_t distance = (n + 1) / 2 * CHUNK;
    uint64_t base = root_gpa - root_gpa % CHUNK;
    if (n % 2 == 1 && base < distance)
        return false;
    *gpa = n % 2 == 1 ? base - distance : base + distance;
    return memctx_rammap_contains(map, *gpa, CHUNK);
}

static void
collect(struct memctx_clocks *clocks, const unsigned char *bytes, uint64_t gpa)
{
    for (uint32_t i = 0; i < CHUNK && clocks->n < MEMCTX_CLOCKS_MAX; i += 8) {
        uint64_t value = memctx_le64(bytes + i);
        if (value >= JIFFIES_MIN && value < JIFFIES_MAX)
            clocks->clock[clocks->n++] = (struct memctx_clock){gpa + i, value};
    }
}

int
memctx_linux_clocks(const struct memctx_rammap *map,
                    const struct memctx_kernel *kernel,
                    struct memctx_clocks *ret, struct memctx_error *err)
{
    unsigned char chunk[CHUNK];
    ret->per_second = HZ_MAX;
    ret->least = JIFFIES_MIN;
    ret->n = 0;
    for (uint32_t n = 0; n < CHUNKS; n++) {
        uint64_t gpa;
        if (!locate_chunk(map, kernel->kcr3, n, &gpa))
            continue;
        if (memctx_rammap_read(map, gpa, chunk, CHUNK, err) < 0)
            return -1;
        collect(ret, chunk, gpa);
    }
    return 0;
}
