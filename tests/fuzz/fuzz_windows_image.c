/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Any bytes as a PE image, mapped for 64 bits and for 32. */
#include "fuzz.h"

#include <string.h>

#include "charged.h"
#include "guestimg.h"
#include "guest/windows/image.h"

#define IMAGE_GPA UINT64_C(0x100000)
#define IMAGE_64 UINT64_C(0xfffff80000200000)
#define IMAGE_32 UINT64_C(0x80200000)
#define IMAGE_PAGES 8u

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
    const uint64_t len = IMAGE_PAGES * MEMCTX_PAGE_SIZE;
    if (world.map != NULL)
        return &world;
    guestimg_init(&world.img, 4 * MEMCTX_MIB, 4 * MEMCTX_MIB);
    world.img.free_gpa = 2 * MEMCTX_MIB;
    world.space[0] = (struct guestimg_space){0x10000, 4};
    world.space[1] = (struct guestimg_space){0x20000, 3};
    guestimg_map_range(&world.img, &world.space[0], IMAGE_64, IMAGE_GPA, len,
                       MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    guestimg_map_range(&world.img, &world.space[1], IMAGE_32, IMAGE_GPA, len,
                       MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    world.map = guestimg_rammap(&world.img, NULL);
    charge_map(&world.map, &world.work, 0);
    return &world;
}

static void
check(const struct memctx_windows_image *image)
{
    for (int i = 0; i < MEMCTX_WINDOWS_EXPORTS; i++)
        FUZZ_MUST(image->exports_gva[i] == 0 ||
                  memctx_range_in(image->exports_gva[i], 1, image->base_gva,
                                  image->size));
    for (const char *c = image->identity; *c != '\0'; c++)
        FUZZ_MUST(*c > ' ' && *c <= '~');
    FUZZ_MUST(strlen(image->identity) < sizeof(image->identity));
}

static void
parse(const struct world *world, int narrow, uint64_t gva)
{
    static struct memctx_view view;
    struct memctx_windows_image image;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    memctx_work_begin(memctx_rammap_work(world->map), 131072, NULL, NULL);
    memctx_view_init(&view, world->map,
                     narrow ? MEMCTX_PAGING_X86_PAE
                            : MEMCTX_PAGING_X86_64_4LEVEL,
                     world->space[narrow].root_gpa);
    if (memctx_windows_image_read(&view, gva, &image, &err) == 0)
        check(&image);
    else
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static unsigned char pages[IMAGE_PAGES * MEMCTX_PAGE_SIZE];
    const struct world *world = the_world();
    memset(pages, 0, sizeof(pages));
    memcpy(pages, data, (size_t)memctx_min(size, sizeof(pages)));
    guestimg_write(&world->img, IMAGE_GPA, pages, sizeof(pages));
    parse(world, 0, IMAGE_64);
    parse(world, 1, IMAGE_32);
}
