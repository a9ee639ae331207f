/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Judges kernels by what stays in RAM. Windows pages out what lies in sections
 * named PAGE... and .edata where it maps its image in 4 KiB pages; its tables,
 * the shared page and the System process stay. Source: the Windows Research
 * Kernel, base/ntos/mm/sysload.c, MiEnablePagingOfDriver. */
#include "guest/windows/rival.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "paging/iterator.h"
#include "guest/windows/finder.h"
#include "guest/windows/kuser.h"
#include "guest/windows/proof.h"
#include "guest/windows/system.h"
#include "guest/windows/transition.h"

/* Pages that are compared to tell whose image they are. */
#define PAGES_MAX 4096

/* Is it the page of the kernel that was found, with its version? */
static int
expect_kuser(const struct memctx_windows_kuser *kuser,
             const struct memctx_kernel *kernel, struct memctx_error *err)
{
    char version[MEMCTX_VERSION_MAX];
    int n = snprintf(version, sizeof(version), "%" PRIu32 ".%" PRIu32,
                     kuser->major, kuser->minor);
    if (strncmp(kernel->version, version, (size_t)n) != 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "Windows %s has taken the place of %s", version,
                                kernel->version);
    uint64_t was_gpa = kernel->wall_clock.page_gpa;
    if (was_gpa != 0 && was_gpa != kuser->gpa)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "KUSER_SHARED_DATA is at gpa %#" PRIx64
                                ", and was at %#" PRIx64,
                                kuser->gpa, was_gpa);
    return 0;
}

int
memctx_windows_stands(const struct memctx_rammap *map,
                      const struct memctx_kernel *kernel,
                      struct memctx_error *err)
{
    const struct memctx_windows_root root = {
        .gpa = kernel->kcr3,
        .paging = kernel->paging,
        .clue = kernel->clue_rank < MEMCTX_WINDOWS_CLUES
                    ? (enum memctx_windows_clue)kernel->clue_rank
                    : MEMCTX_WINDOWS_CLUE_SELF_MAP,
    };
    struct memctx_windows_kuser kuser;
    struct memctx_view view;
    memctx_windows_view_init(&view, map, root.paging, root.gpa);
    if (memctx_windows_resident(&view, &root, &kuser, err) < 0 ||
        expect_kuser(&kuser, kernel, err) < 0)
        return -1;
    return memctx_windows_system_stands(
        &view, kernel->windows_facts.system_pointer_gva,
        kernel->first_process_gva, &kernel->windows_facts.offsets, err);
}

/* A rival and a kernel that are compared. */
struct pair {
    const struct memctx_rammap *map;
    const struct memctx_rival *rival;
    const struct memctx_kernel *kernel;
    struct memctx_view view; /* of the kernel's space */
};

/* Does the kernel map gva, and to this place? */
static bool
maps_to(const struct pair *pair, uint64_t gva, uint64_t gpa)
{
    struct memctx_walk walk;
    return memctx_paging_walk_soft(pair->map, pair->kernel->paging,
                                   pair->kernel->kcr3, gva, memctx_windows_soft,
                                   &walk, NULL) == 0 &&
           walk.gpa == gpa;
}

static bool
maps_alike(const struct pair *pair, uint64_t gva)
{
    struct memctx_walk walk;
    return gva != 0 &&
           memctx_paging_walk(pair->map, pair->rival->paging,
                              pair->rival->root_gpa, gva, &walk, NULL) == 0 &&
           maps_to(pair, gva, walk.gpa);
}

/* Is the rival no other kernel, but another root of this one: of a process, or
 * one for user space, which maps a few pages of the image? */
static bool
is_of_same_kernel(const struct pair *pair)
{
    const struct memctx_kernel *kernel = pair->kernel;
    struct memctx_iterator pages;
    struct memctx_mapped_page page;
    if (maps_alike(pair, kernel->first_process_gva) ||
        maps_alike(pair, kernel->windows_facts.system_pointer_gva))
        return true;
    memctx_windows_image_pages(&pages, pair->map, pair->rival->paging,
                               pair->rival->root_gpa);
    for (int i = 0; i < PAGES_MAX; i++) {
        if (!memctx_windows_image_pages_next(&pages, &page))
            return true;
        if (!maps_to(pair, page.gva, page.gpa))
            return false;
    }
    return false;
}

/* Did the System process of this kernel begin when the clock in the shared page
 * says that the system did? No kernel keeps the start of a later one. */
static bool
owns_clock(struct pair *pair, const struct memctx_windows_kuser *kuser)
{
    uint64_t booted = pair->kernel->wall_clock.booted;
    if (booted != 0)
        return memctx_windows_is_start(kuser, booted);
    return memctx_windows_system_began(
               &pair->view, pair->kernel->first_process_gva, kuser) != 0;
}

bool
memctx_windows_outranks(const struct memctx_rammap *map,
                        const struct memctx_rival *rival,
                        const struct memctx_kernel *kernel, bool moves)
{
    const struct memctx_wall_clock *clock = &kernel->wall_clock;
    const struct memctx_windows_root root = {
        .gpa = rival->root_gpa,
        .paging = rival->paging,
        .clue = MEMCTX_WINDOWS_CLUE_SELF_MAP,
    };
    struct memctx_windows_kuser kuser;
    struct pair pair = {.map = map, .rival = rival, .kernel = kernel};
    memctx_windows_view_init(&pair.view, map, rival->paging, rival->root_gpa);
    if (rival->root_gpa == kernel->kcr3 ||
        memctx_windows_resident(&pair.view, &root, &kuser, NULL) < 0 ||
        is_of_same_kernel(&pair))
        return false;
    /* Each has a clock of its own. Which of them moves has been seen; where
     * nothing moves the later one is that of the last kernel. */
    if (kuser.gpa != clock->page_gpa)
        return !moves && (rival->is_named ? kuser.system_time >= clock->time
                                          : kuser.system_time > clock->time);
    memctx_windows_view_init(&pair.view, map, kernel->paging, kernel->kcr3);
    return rival->is_named || !owns_clock(&pair, &kuser);
}
