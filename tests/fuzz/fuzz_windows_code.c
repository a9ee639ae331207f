/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Any bytes as the code of a getter, for 64 and 32 bits. The input lies at the
 * end of a page that is the last one mapped. */
#include "fuzz.h"

#include "charged.h"
#include "guestimg.h"
#include "guest/windows/code.h"

#define CODE_GPA UINT64_C(0x100000)
#define CODE_64 UINT64_C(0xfffff80000001000)
#define CODE_32 UINT64_C(0x80001000)
#define LEN_MAX 256u

struct world {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_work work;
    struct guestimg_space space[2];
};

static struct world *
the_world(void)
{
    static struct world world;
    if (world.map != NULL)
        return &world;
    guestimg_init(&world.img, 4 * MEMCTX_MIB, 4 * MEMCTX_MIB);
    world.img.free_gpa = 2 * MEMCTX_MIB;
    world.space[0] = (struct guestimg_space){0x10000, 4};
    world.space[1] = (struct guestimg_space){0x20000, 3};
    guestimg_map(&world.img, &world.space[0], CODE_64, CODE_GPA,
                 MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    guestimg_map(&world.img, &world.space[1], CODE_32, CODE_GPA,
                 MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    world.map = guestimg_rammap(&world.img, NULL);
    charge_map(&world.map, &world.work, 0);
    return &world;
}

static void
follow(const struct world *world, int narrow, uint64_t gva)
{
    static struct memctx_view view;
    memctx_work_begin(memctx_rammap_work(world->map), 1000, NULL, NULL);
    uint16_t offset = 0;
    memctx_view_init(&view, world->map,
                     narrow ? MEMCTX_PAGING_X86_PAE
                            : MEMCTX_PAGING_X86_64_4LEVEL,
                     world->space[narrow].root_gpa);
    for (int getter = 0; getter < 2; getter++) {
        if (memctx_windows_code_offset(
                &view, gva, (enum memctx_windows_getter)getter, &offset))
            FUZZ_MUST(offset >= 8 && offset < 0x1000);
    }
    FUZZ_MUST(memctx_rammap_work(world->map)->left > 500);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    const struct world *world = the_world();
    size_t len = (size_t)memctx_min(size, LEN_MAX);
    uint64_t into = MEMCTX_PAGE_SIZE - len;
    if (len == 0)
        return;
    guestimg_write(&world->img, CODE_GPA + into, data, len);
    follow(world, 0, CODE_64 + into);
    follow(world, 1, CODE_32 + into);
}
