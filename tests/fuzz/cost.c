/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
#include "cost.h"

#include "fuzz.h"

struct fuzz_cost
fuzz_cost_begin(const struct memram *ram, uint64_t steps)
{
    return (struct fuzz_cost){ram, memram_cost(ram), steps};
}

void
fuzz_cost_end(const struct fuzz_cost *cost)
{
    struct memram_cost now = memram_cost(cost->ram);
    uint64_t reads = now.reads - cost->before.reads;
    uint64_t pages = (now.bytes - cost->before.bytes) / MEMCTX_PAGE_SIZE;
    uint64_t looks = now.looks - cost->before.looks;
    FUZZ_MUST(reads <= cost->steps);
    FUZZ_MUST(pages <= cost->steps);
    FUZZ_MUST(looks <= cost->steps);
}
