/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Counters, clock and names of a kernel of which bytes were changed
 * (changes.h). The first byte picks the age of the kernel, or that it has no
 * types; with 0x40, VMCOREINFO does not tell where its node is. */
#include "fuzz.h"

#include <string.h>

#include "charged.h"
#include "cost.h"
#include "explain/figures.h"
#include "explguest.h"
#include "figureimg.h"

#define AGES 2u

static struct memctx_btf *
types_of(unsigned age)
{
    static struct memctx_btf *made[AGES];
    static struct btfimg img;
    if (age >= AGES)
        return NULL;
    if (made[age] == NULL) {
        btfimg_init(&img);
        figureimg_types(&img, (enum figureimg_age)age);
        made[age] = btfimg_open(&img);
    }
    return made[age];
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static struct explguest kept;
    struct memctx_target target;
    struct memctx_figures figures;
    struct memctx_work work;
    char note[FIGUREIMG_NOTE_MAX];
    if (size == 0)
        return;
    explguest_rewind(&kept, figureimg_write);
    fuzz_change(&kept.guest, 0, data + 1, size - 1);
    figureimg_note(&kept.x, note);
    if ((data[0] & 0x40) != 0)
        *strstr(note, "SYMBOL(node_data)") = '\0';
    struct memctx_task kswapd = figureimg_kswapd(&kept.x);
    const struct memctx_tasks tasks = {&kswapd, 1};
    const struct memctx_landmarks landmarks = figureimg_landmarks(&kept.x);
    struct memctx_rammap *map = memram_rammap(kept.guest.ram, 4 * MEMCTX_GIB);
    charge_map(&map, &work, FUZZ_STEPS);
    memctx_target_init(&target, map, &kept.x.kernel, note, strlen(note));
    struct fuzz_cost cost = fuzz_cost_begin(kept.guest.ram, FUZZ_STEPS);
    memctx_figures_read(&target, types_of((data[0] & 0x3f) % (AGES + 1)),
                        &landmarks, &tasks, &figures);
    fuzz_cost_end(&cost);
    FUZZ_MUST(strlen(figures.hostname) <= 64);
    FUZZ_MUST(strlen(figures.command_line) < MEMCTX_COMMAND_LINE_MAX);
    for (unsigned i = MEMCTX_FIGURE_MEM_TOTAL; i <= MEMCTX_FIGURE_SHMEM; i++)
        FUZZ_MUST(figures.value[i] <= UINT64_C(1) << 56);
    memctx_rammap_destroy(map);
}
