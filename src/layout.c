/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The split rule of each machine family, as a table. */
#include "layout.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

/* RAM and PCI hole that end below this together cannot reach AMD's hole at
 * 1012 GiB and so are not moved to 1 TiB (QEMU 7.1 and later). The holes that
 * QEMU makes by itself, 32 GiB at most, fit in between. */
#define SURELY_BELOW_1TIB (800 * MEMCTX_GIB)

typedef uint64_t low_fn(uint64_t ram, uint64_t max4);

static uint64_t
low_or_limit(uint64_t ram, uint64_t limit)
{
    return memctx_min(ram, limit);
}

/* pc-i440fx-2.0 and later align the split to 1 GiB when RAM reaches it. */
static uint64_t
low_of_pc(uint64_t ram, uint64_t max4)
{
    uint64_t limit = max4 != 0 ? max4 : UINT64_C(0xe0000000);
    if (ram >= limit)
        limit = memctx_min(limit, UINT64_C(0xc0000000));
    return low_or_limit(ram, limit);
}

static uint64_t
low_of_old_pc(uint64_t ram, uint64_t max4)
{
    return low_or_limit(ram, max4 != 0 ? max4 : UINT64_C(0xe0000000));
}

static uint64_t
low_of_q35(uint64_t ram, uint64_t max4)
{
    uint64_t limit = ram >= UINT64_C(0xb0000000) ? UINT64_C(0x80000000)
                                                 : UINT64_C(0xb0000000);
    if (max4 != 0)
        limit = memctx_min(limit, max4);
    return low_or_limit(ram, limit);
}

/* First match counts. A name that ends in '-' is a prefix of many. */
static const struct family {
    const char *name;
    low_fn *low;
} families[] = {
    {"q35", low_of_q35},       {"pc-q35-", low_of_q35},
    {"isapc", low_of_old_pc},  {"pc", low_of_pc},
    {"pc-i440fx-", low_of_pc}, {"pc-1.", low_of_old_pc},
    {"pc-0.", low_of_old_pc},
};

/* pc-i440fx-1.4 to 1.7; distributions' names ("pc-i440fx-jammy") are new. */
static bool
is_old_i440fx(const char *machine)
{
    unsigned major;
    unsigned minor;
    return sscanf(machine, "pc-i440fx-%u.%u", &major, &minor) == 2 && major < 2;
}

static const struct family *
find_family(const char *machine)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(families); i++) {
        const char *name = families[i].name;
        size_t len = strlen(name);
        bool prefix = name[len - 1] == '-' || name[len - 1] == '.';
        if (prefix ? strncmp(machine, name, len) == 0
                   : strcmp(machine, name) == 0)
            return &families[i];
    }
    return NULL;
}

int
memctx_layout_split(const struct memctx_layout_facts *facts,
                    struct memctx_layout *ret, struct memctx_error *err)
{
    const struct family *family = find_family(facts->machine);
    if (family == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the RAM layout of machine type '%.40s' is not "
                                "known; pc and q35 are",
                                facts->machine);
    uint64_t top;
    if (!memctx_add(memctx_max(facts->ram_bytes, facts->max_memory_bytes),
                    facts->pci_hole64_bytes, &top) ||
        top > SURELY_BELOW_1TIB)
        return memctx_error_set(
            err, MEMCTX_PERMANENT,
            "RAM or <maxMemory>, with the 64-bit PCI hole, above 800 GiB: QEMU may have moved RAM above "
            "1 TiB, which is not supported yet");
    low_fn *low = is_old_i440fx(facts->machine) ? low_of_old_pc : family->low;
    *ret = (struct memctx_layout){
        .low = low(facts->ram_bytes, facts->max_ram_below_4g),
        .above = 4 * MEMCTX_GIB,
    };
    return 0;
}

int
memctx_layout_apply(const struct memctx_layout *layout, uint64_t ram_bytes,
                    struct memctx_rammap *map, unsigned backend,
                    struct memctx_error *err)
{
    uint64_t low = memctx_min(layout->low, ram_bytes);
    struct memctx_extent below = {0, low, 0, backend};
    struct memctx_extent above = {layout->above, ram_bytes - low, low, backend};
    if (memctx_rammap_add_extent(map, &below, err) < 0)
        return -1;
    if (above.size == 0)
        return 0;
    return memctx_rammap_add_extent(map, &above, err);
}
