/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A ready Windows guest of which bytes were changed: its tables, low stub,
 * shared page, image, processes. The whole search and the process list.
 *
 * The first byte picks the guest. Then come changes, until the input ends:
 *   place (1 byte), offset (2), length (1, modulo 16), bytes. */
#include "fuzz.h"

#include <string.h>

#include "guestimg.h"
#include "winimg.h"
#include "search/search.h"
#include "guest/windows/process.h"

#define RAM (64 * MEMCTX_MIB)
#define CHANGES_MAX 64
#define PROCESSES_MAX 64

static const struct {
    unsigned build;
    enum memctx_paging paging;
} guests[] = {
    {19045, MEMCTX_PAGING_X86_64_4LEVEL},
    {20348, MEMCTX_PAGING_X86_64_5LEVEL},
    {17763, MEMCTX_PAGING_X86_PAE},
    {7601, MEMCTX_PAGING_X86_2LEVEL},
};

/* Where a change may begin; tables are what was taken from tables_gpa on. */
static uint64_t
place_gpa(const struct winimg *w, unsigned place)
{
    const uint64_t places[] = {
        w->root_gpa,
        w->kuser_gpa,
        0x13000,
        w->image_gpa,
        w->image_gpa + WINIMG_TEXT + 0x100,
        w->image_gpa + WINIMG_EDATA,
        w->image_gpa + WINIMG_DEBUG,
        w->image_gpa + WINIMG_DATA,
        w->eprocess_gpa[0],
        w->eprocess_gpa[1],
        w->eprocess_gpa[2],
    };
    const unsigned n = MEMCTX_ARRAY_LEN(places);
    return place < n ? places[place]
                     : w->tables_gpa + (uint64_t)(place - n) * MEMCTX_PAGE_SIZE;
}

static void
change(const struct guestimg *img, const struct winimg *w, const uint8_t *data,
       size_t size)
{
    for (unsigned n = 0; n < CHANGES_MAX && size >= 5; n++) {
        uint64_t gpa = place_gpa(w, data[0]) + memctx_le16(data + 1) % 4096;
        size_t len = (size_t)memctx_min(data[3] % 16u + 1, size - 4);
        guestimg_write(img, gpa, data + 4, len);
        data += 4 + len;
        size -= 4 + len;
    }
}

static void
list(const struct memctx_rammap *map, const struct memctx_kernel *kernel)
{
    struct memctx_process processes[PROCESSES_MAX];
    struct memctx_error err = MEMCTX_ERROR_INIT;
    size_t n;
    if (memctx_windows_processes(map, kernel, processes, PROCESSES_MAX, &n,
                                 &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
    FUZZ_MUST(n <= PROCESSES_MAX);
    for (size_t i = 0; i < n; i++)
        FUZZ_MUST(strlen(processes[i].name) < MEMCTX_PROCESS_NAME_MAX);
}

static void
search(const struct memctx_rammap *map, bool all)
{
    struct memctx_search *search;
    struct memctx_search_request request = {.budget_bytes = 8 * MEMCTX_MIB,
                                            .all = all};
    struct memctx_search_result result;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    FUZZ_MUST(memctx_search_create(&search, NULL) == 0);
    if (memctx_search_try(search, map, &request, &result, &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
    for (size_t k = 0; k < result.n_kernels; k++) {
        const struct memctx_kernel *kernel = &result.kernels[k];
        FUZZ_MUST(memctx_rammap_contains(map, kernel->kcr3, 32));
        FUZZ_MUST(strstr(kernel->checks, "system-process") != NULL);
        list(map, kernel);
    }
    memctx_search_destroy(search);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct guestimg img;
    if (size == 0)
        return;
    unsigned which = data[0] % MEMCTX_ARRAY_LEN(guests);
    struct winimg w = winimg(guests[which].build, guests[which].paging);
    w.large_pages = (data[0] & 0x10) != 0;
    w.kva_shadow = (data[0] & 0x20) != 0;
    guestimg_init(&img, RAM, RAM);
    winimg_write(&img, &w);
    change(&img, &w, data + 1, size - 1);
    struct memctx_rammap *map = guestimg_rammap(&img, NULL);
    uint64_t blocks = guestimg_blocks(&img);
    search(map, false);
    search(map, true);
    FUZZ_MUST(guestimg_blocks(&img) == blocks);
    memctx_rammap_destroy(map);
    guestimg_deinit(&img);
}
