/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A ready Windows guest of which bytes were changed: its tables, low stub,
 * shared page, image, processes. The whole search and the process list.
 *
 * The first byte picks the guest, changes.h has the rest. */
#include "fuzz.h"

#include <string.h>

#include "changes.h"
#include "charged.h"
#include "cost.h"
#include "guest/windows/process.h"
#include "search/search.h"
#include "winimg.h"

#define RAM (64 * MEMCTX_MIB)
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

static uint64_t
tables_of(const struct winimg *w, uint64_t places[FUZZ_PLACES_MAX], size_t *n)
{
    const uint64_t where[] = {
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
    *n = MEMCTX_ARRAY_LEN(where);
    memcpy(places, where, sizeof(where));
    return w->tables_gpa;
}

static void
build(struct fuzz_guest *guest, unsigned which)
{
    unsigned row = which % MEMCTX_ARRAY_LEN(guests);
    struct winimg w = winimg(guests[row].build, guests[row].paging);
    struct guestimg img;
    w.large_pages = (which & 0x10) != 0;
    w.kva_shadow = (which & 0x20) != 0;
    guestimg_init(&img, RAM, RAM);
    winimg_write(&img, &w);
    guest->tables_gpa = tables_of(&w, guest->places, &guest->n_places);
    guest->ram = memram_create(&img);
    guest->entry_bytes = w.paging == MEMCTX_PAGING_X86_2LEVEL ? 4 : 8;
    guest->no_execute = MEMCTX_PTE_NX;
    guestimg_deinit(&img);
}

/* Each guest is built once. */
static const struct fuzz_guest *
guest_of(unsigned which)
{
    static struct fuzz_guest built[0x34];
    struct fuzz_guest *guest = &built[which & 0x33];
    if (guest->ram == NULL)
        build(guest, which);
    memram_rewind(guest->ram);
    return guest;
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
search(const struct fuzz_guest *guest, const struct memctx_rammap *map,
       bool all)
{
    struct memctx_work *work = memctx_rammap_work(map);
    struct fuzz_cost cost = fuzz_cost_begin(guest->ram, FUZZ_STEPS);
    struct memctx_search *search;
    struct memctx_search_request request = {.budget_bytes = 8 * MEMCTX_MIB,
                                            .all = all};
    struct memctx_search_result result;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    FUZZ_MUST(memctx_search_create(&search, NULL) == 0);
    memctx_work_begin(work, FUZZ_STEPS, NULL, NULL);
    if (memctx_search_try(search, map, &request, &result, &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
    fuzz_cost_end(&cost);
    for (size_t k = 0; k < result.n_kernels; k++) {
        const struct memctx_kernel *kernel = &result.kernels[k];
        FUZZ_MUST(memctx_rammap_contains(map, kernel->kcr3, 32));
        FUZZ_MUST(strstr(kernel->checks, "system-process") != NULL);
        memctx_work_begin(work, FUZZ_STEPS, NULL, NULL);
        list(map, kernel);
    }
    memctx_search_destroy(search);
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    const struct fuzz_guest *guest = guest_of(data[0]);
    fuzz_change(guest, 0, data + 1, size - 1);
    struct memctx_rammap *map = memram_rammap(guest->ram, 4 * MEMCTX_GIB);
    struct memctx_work work;
    charge_map(&map, &work, 0);
    search(guest, map, false);
    search(guest, map, true);
    memctx_rammap_destroy(map);
}
