/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
#include "explguest.h"

static void
build_guest(struct explguest *kept, void (*build)(const struct explimg *x))
{
    struct fuzz_guest *guest = &kept->guest;
    struct explimg *x = &kept->x;
    explimg_init(x);
    build(x);
    for (unsigned i = 0; i < EXPLGUEST_PAGES; i++)
        guest->places[guest->n_places++] =
            x->built.text_gpa + EXPLIMG_ROOM + i * MEMCTX_PAGE_SIZE;
    for (unsigned i = 0; i < 4; i++)
        guest->places[guest->n_places++] =
            x->built.root_gpa + i * MEMCTX_PAGE_SIZE;
    guest->tables_gpa = MEMCTX_MIB;
    guest->entry_bytes = 8;
    guest->no_execute = MEMCTX_PTE_NX;
    guest->ram = memram_create(&x->img);
    x->kernel.base_gva = x->room_gva;
    x->kernel.size_bytes = EXPLGUEST_PAGES * MEMCTX_PAGE_SIZE;
    explimg_deinit(x);
}

void
explguest_rewind(struct explguest *kept, void (*build)(const struct explimg *x))
{
    if (kept->guest.ram == NULL)
        build_guest(kept, build);
    memram_rewind(kept->guest.ram);
}
