/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Finds jiffies_64 by its name or, where there are no names, words that look
 * like it around the root. */
#include "linux_clock.h"

#include <inttypes.h>

#include "bytes.h"
#include "linux_kallsyms.h"
#include "linux_note.h"

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

static bool
is_jiffies(uint64_t value)
{
    return value >= JIFFIES_MIN && value < JIFFIES_MAX;
}

static void
collect(struct memctx_clocks *clocks, const unsigned char *bytes, uint64_t gpa)
{
    for (uint32_t i = 0; i < CHUNK && clocks->n < MEMCTX_CLOCKS_MAX; i += 8) {
        uint64_t value = memctx_le64(bytes + i);
        if (is_jiffies(value))
            clocks->clock[clocks->n++] = (struct memctx_clock){gpa + i, value};
    }
}

/* By the symbol table of the kernel itself. jiffies and jiffies_64 are one on
 * 64 bits (arch/x86/kernel/vmlinux.lds.S). */
static int
find_by_name(const struct memctx_rammap *map,
             const struct memctx_kernel *kernel, struct memctx_clock *ret,
             struct memctx_error *err)
{
    static const char *const names[] = {"jiffies_64", "jiffies", NULL};
    struct memctx_vmcoreinfo info;
    struct memctx_walk walk;
    unsigned char raw[8];
    uint64_t gva;
    bool is_note;
    size_t size;
    if (memctx_linux_note_read(map, kernel->clue_gpa, &info, &is_note, &size,
                               err) < 0 ||
        memctx_linux_kallsyms_find(map, kernel, &info, names, &gva, err) < 0 ||
        memctx_paging_walk(map, kernel->paging, kernel->kcr3, gva, &walk, err) <
            0 ||
        memctx_rammap_read(map, walk.gpa, raw, sizeof(raw), err) < 0)
        return -1;
    *ret = (struct memctx_clock){walk.gpa, memctx_le64(raw)};
    if (gva % 8 != 0 || !is_jiffies(ret->value))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "jiffies at gva %#" PRIx64 " is %#" PRIx64, gva,
                                ret->value);
    return 0;
}

/* By their values. */
static int
find_by_value(const struct memctx_rammap *map,
              const struct memctx_kernel *kernel, struct memctx_clocks *ret,
              struct memctx_error *err)
{
    unsigned char chunk[CHUNK];
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

int
memctx_linux_clocks(const struct memctx_rammap *map,
                    const struct memctx_kernel *kernel,
                    struct memctx_clocks *ret, struct memctx_error *err)
{
    ret->per_second = HZ_MAX;
    ret->least = JIFFIES_MIN;
    ret->n = 0;
    if (find_by_name(map, kernel, &ret->clock[0], NULL) < 0)
        return find_by_value(map, kernel, ret, err);
    ret->n = 1;
    return 0;
}
