/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes the pages out of an input; every input has some, or none. */
#include "pages.h"

#define PAGES (FUZZ_PAGES_RAM / MEMCTX_PAGE_SIZE)
#define PAGE_HEAD 5u
#define RUN_HEAD 4u

bool
fuzz_next_run(struct fuzz_runs *runs, const uint8_t *data, size_t size,
              struct fuzz_run *ret)
{
    /* Bounded by the input: each turn passes a head. */
    while (runs->left == 0) {
        if (size - runs->at < PAGE_HEAD)
            return false;
        const uint8_t *head = data + runs->at;
        runs->page = (memctx_le16(head) | (uint64_t)head[2] << 16) % PAGES;
        runs->left = memctx_le16(head + 3);
        runs->at += PAGE_HEAD;
    }
    if (size - runs->at < RUN_HEAD)
        return false;
    size_t offset = memctx_le16(data + runs->at) % MEMCTX_PAGE_SIZE;
    size_t len = memctx_le16(data + runs->at + 2);
    runs->at += RUN_HEAD;
    len = (size_t)memctx_min(len, size - runs->at);
    *ret = (struct fuzz_run){
        .page = runs->page,
        .offset = offset,
        .at = runs->at,
        .len = (size_t)memctx_min(len, MEMCTX_PAGE_SIZE - offset),
    };
    runs->at += len;
    runs->left--;
    return true;
}

uint64_t
fuzz_page_gpa(enum fuzz_layout layout, uint64_t page)
{
    uint64_t offset = page * MEMCTX_PAGE_SIZE;
    if (layout == FUZZ_LAYOUT_ARM)
        return MEMCTX_GIB + offset;
    if (layout == FUZZ_LAYOUT_SPLIT && offset >= FUZZ_PAGES_SPLIT)
        return 4 * MEMCTX_GIB + offset - FUZZ_PAGES_SPLIT;
    return offset;
}

static struct memram *
ram_of(enum fuzz_layout layout)
{
    static struct memram *rams[FUZZ_LAYOUTS];
    struct guestimg img;
    if (rams[layout] != NULL)
        return rams[layout];
    if (layout == FUZZ_LAYOUT_ARM)
        guestimg_init_at(&img, FUZZ_PAGES_RAM, MEMCTX_GIB);
    else
        guestimg_init(&img, FUZZ_PAGES_RAM,
                      layout == FUZZ_LAYOUT_SPLIT ? FUZZ_PAGES_SPLIT
                                                  : FUZZ_PAGES_RAM);
    rams[layout] = memram_create(&img);
    guestimg_deinit(&img);
    return rams[layout];
}

struct memram *
fuzz_pages(const uint8_t *data, size_t size, enum fuzz_layout *layout)
{
    struct fuzz_runs runs = {.at = 1};
    struct fuzz_run run;
    *layout = size > 0 ? data[0] % FUZZ_LAYOUTS : FUZZ_LAYOUT_PLAIN;
    struct memram *ram = ram_of(*layout);
    memram_rewind(ram);
    while (size > 0 && fuzz_next_run(&runs, data, size, &run))
        memram_write(ram, fuzz_page_gpa(*layout, run.page) + run.offset,
                     data + run.at, run.len);
    return ram;
}
