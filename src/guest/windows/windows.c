/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From a clue to a proven kernel: which roots a clue stands for, which need no
 * proof of their own, and where they lead. */
#include <inttypes.h>

#include "base/bytes.h"
#include "guest/guest.h"
#include "guest/windows/kuser.h"
#include "guest/windows/process.h"
#include "guest/windows/proof.h"
#include "guest/windows/rival.h"
#include "guest/windows/roots.h"

/* Do both roots map gva to the same place? */
static bool
maps_alike(const struct memctx_rammap *map, enum memctx_paging paging,
           uint64_t root_gpa, uint64_t other_gpa, uint64_t gva)
{
    struct memctx_walk one;
    struct memctx_walk other;
    return memctx_paging_walk(map, paging, root_gpa, gva, &one, NULL) == 0 &&
           memctx_paging_walk(map, paging, other_gpa, gva, &other, NULL) == 0 &&
           one.gpa == other.gpa;
}

/* Every process has a root that leads to the same kernel: once that is proven
 * the others need no proof of their own. */
static bool
leads_to(const struct memctx_rammap *map,
         const struct memctx_windows_root *root,
         const struct memctx_kernel *kernel)
{
    /* Headers may be paged out for one as for the other. */
    return root->gpa == kernel->kcr3 ||
           (maps_alike(map, root->paging, root->gpa, kernel->kcr3,
                       kernel->windows_facts.system_pointer_gva) &&
            maps_alike(map, root->paging, root->gpa, kernel->kcr3,
                       kernel->first_process_gva));
}

static const struct memctx_kernel *
find_known(const struct memctx_session *session,
           const struct memctx_windows_root *root)
{
    for (size_t i = 0; i < session->n_known; i++) {
        const struct memctx_kernel *k = &session->known[i];
        if (k->os == MEMCTX_OS_WINDOWS && k->paging == root->paging &&
            leads_to(session->map, root, k))
            return k;
    }
    return NULL;
}

/* Try the root that a System process names. With 5 levels a table of the second
 * level looks like a root of 4, so the lead may have either. */
static int
follow_lead(struct memctx_session *session, struct memctx_windows_root root,
            struct memctx_kernel *ret)
{
    static const enum memctx_paging others[MEMCTX_PAGINGS] = {
        [MEMCTX_PAGING_X86_64_4LEVEL] = MEMCTX_PAGING_X86_64_5LEVEL,
        [MEMCTX_PAGING_X86_64_5LEVEL] = MEMCTX_PAGING_X86_64_4LEVEL,
    };
    uint64_t ignored;
    if (memctx_windows_prove(session, &root, ret, &ignored, NULL) == 0)
        return 0;
    root.paging = others[root.paging];
    return root.paging != MEMCTX_PAGING_UNKNOWN
               ? memctx_windows_prove(session, &root, ret, &ignored, NULL)
               : -1;
}

/* Prove a root, or the one that it leads to. */
static int
try_root_and_lead(struct memctx_session *session,
                  const struct memctx_windows_root *root,
                  struct memctx_kernel *ret, struct memctx_error *err)
{
    const struct memctx_kernel *known = find_known(session, root);
    const uint64_t note = root->gpa | (uint64_t)root->paging;
    uint64_t lead_gpa;
    if (known != NULL) {
        *ret = *known;
        return 0;
    }
    /* The low stub and the root's own page are clues to one root. */
    if (note == session->failed)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "root %#" PRIx64 " failed just now", root->gpa);
    if (memctx_windows_prove(session, root, ret, &lead_gpa, err) == 0)
        return 0;
    if (session->passed == MEMCTX_WINDOWS_CHECKS - 1)
        session->failed = note;
    unsigned passed = session->passed;
    const struct memctx_windows_root lead = {lead_gpa, root->paging, root->clue,
                                             NULL};
    if (lead_gpa != 0 && follow_lead(session, lead, ret) == 0)
        return 0;
    session->passed = passed;
    return -1;
}

static uint64_t
own_page(const struct memctx_kernel *kernel)
{
    return kernel->kcr3 - memctx_windows_root_offset(kernel->paging);
}

/* The root's own page is the clue to come back to, if it is one: the low stub
 * may be written over, and a process that led here may end. */
static bool
is_own_clue(const struct memctx_rammap *map, const struct memctx_kernel *kernel)
{
    struct memctx_windows_root roots[MEMCTX_WINDOWS_ROOTS_MAX];
    unsigned char page[MEMCTX_PAGE_SIZE];
    uint64_t page_gpa = own_page(kernel);
    return page_gpa % MEMCTX_PAGE_SIZE == 0 &&
           memctx_rammap_read(map, page_gpa, page, sizeof(page), NULL) == 0 &&
           memctx_windows_roots(page_gpa, page, roots) > 0;
}

static int
verify(struct memctx_session *session, uint64_t clue_gpa,
       struct memctx_kernel *ret, struct memctx_error *err)
{
    struct memctx_windows_root roots[MEMCTX_WINDOWS_ROOTS_MAX];
    unsigned char page[MEMCTX_PAGE_SIZE];
    struct memctx_kernel kernel = {.os = MEMCTX_OS_WINDOWS};
    unsigned best = 0;
    session->passed = 0;
    if (memctx_rammap_read(session->map, clue_gpa, page, sizeof(page), err) < 0)
        return -1;
    size_t n = memctx_windows_roots(clue_gpa, page, roots);
    if (n == 0 && memctx_windows_roots_is_from(session->map, clue_gpa, page))
        session->ram_gpa = MEMCTX_WINDOWS_ARM_RAM;
    if (n == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gpa %#" PRIx64 " is no root table any more",
                                clue_gpa);
    for (size_t i = 0; i < n; i++) {
        struct memctx_error why = MEMCTX_ERROR_INIT;
        if (try_root_and_lead(session, &roots[i], &kernel, &why) == 0) {
            kernel.clue_gpa = is_own_clue(session->map, &kernel)
                                  ? own_page(&kernel)
                                  : clue_gpa;
            *ret = kernel;
            return 0;
        }
        if (err != NULL && (i == 0 || session->passed > best))
            *err = why;
        best = (unsigned)memctx_max(best, session->passed);
        if (why.kind == MEMCTX_GONE)
            break;
    }
    session->passed = best;
    return -1;
}

const struct memctx_guest_ops memctx_windows_ops = {
    .sought = "low stub or page table that maps itself",
    .follow = memctx_windows_follow,
    .likely = {0, 16 * MEMCTX_MIB},
    .scan = memctx_windows_scan,
    .verify = verify,
    .stands = memctx_windows_stands,
    .outranks = memctx_windows_outranks,
    .clocks = memctx_windows_clocks,
    .processes = memctx_windows_processes,
};
