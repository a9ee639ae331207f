/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Looks for "MZ" at the pages that are mapped where kernels are; and for the
 * export directory of an image whose headers were wiped, or are out. */
#include "guest/windows/finder.h"

#include <inttypes.h>

#include "guest/windows/transition.h"

/* Top-level entry 0x1f0 of 4 levels, where loaded images are on x64; with 5
 * levels it is the same range of addresses. On x86 images begin at the lowest
 * kernel address: 0x80000000, or up to 0xc0000000 with "increaseuserva" in the
 * boot configuration (learn.microsoft.com, "4-Gigabyte Tuning"). */
#define FIRST_64 UINT64_C(0xfffff80000000000)
#define LAST_64 UINT64_C(0xfffff87fffffffff)
#define FIRST_32 UINT64_C(0x80000000)
#define LAST_32 UINT64_C(0xffffffff)

/* Where x86 maps page tables. A large page looks like one of them there. */
#define TABLES_32 UINT64_C(0xc0000000)
#define TABLES_32_SIZE (8 * MEMCTX_MIB)

#define PEEKS_MAX 65536u   /* pages read: 256 MiB */
#define STEPS_MAX 1048576u /* mappings passed: 4 GiB of small pages */

/* A kernel has more than that in a row, but where pages of it are out. */
#define RUN_MIN (4 * MEMCTX_PAGE_SIZE)

void
memctx_windows_image_pages(struct memctx_iterator *pages,
                           const struct memctx_rammap *map,
                           enum memctx_paging paging, uint64_t root_gpa)
{
    bool wide = memctx_paging_format(paging)->arch->pointer_bytes == 8;
    memctx_iterator_init(pages, map, paging, root_gpa,
                         wide ? FIRST_64 : FIRST_32, wide ? LAST_64 : LAST_32);
    pages->soft = memctx_windows_soft;
}

bool
memctx_windows_image_pages_next(struct memctx_iterator *pages,
                                struct memctx_mapped_page *ret)
{
    /* Bounded by the size of the tables. */
    while (memctx_iterator_next(pages, ret)) {
        if (!memctx_range_in(ret->gva, 1, TABLES_32, TABLES_32_SIZE))
            return true;
    }
    return false;
}

static void
restart(struct memctx_windows_finder *finder, bool thorough)
{
    struct memctx_view *view = finder->view;
    memctx_windows_image_pages(&finder->pages, view->map, view->paging,
                               view->root_gpa);
    finder->thorough = thorough;
    finder->page = finder->run = (struct memctx_mapped_page){0};
}

void
memctx_windows_finder_init(struct memctx_windows_finder *finder,
                           struct memctx_view *view)
{
    finder->view = view;
    finder->peeks_left = PEEKS_MAX;
    finder->steps_left = STEPS_MAX;
    finder->mark = 0;
    finder->is_incomplete = finder->has_headers = false;
    finder->n_images = 0;
    restart(finder, false);
}

static void
cut_first_page(struct memctx_mapped_page *page)
{
    page->gva += MEMCTX_PAGE_SIZE;
    page->gpa += MEMCTX_PAGE_SIZE;
    page->size -= MEMCTX_PAGE_SIZE;
}

/* Does this mapping make the run that it is in, or begins, long enough? */
static bool
makes_run(struct memctx_mapped_page *run, const struct memctx_mapped_page *page)
{
    if (page->gva != run->gva + run->size)
        *run = (struct memctx_mapped_page){page->gva, page->gpa, 0};
    bool was_short = run->size < RUN_MIN;
    run->size += page->size;
    return was_short && run->size >= RUN_MIN;
}

/* The next mapping that is of interest in this round: one that begins a long
 * run, or any. */
static bool
next_mapping(struct memctx_windows_finder *finder)
{
    struct memctx_mapped_page page;
    /* Bounded by STEPS_MAX. */
    while (finder->steps_left > 0 &&
           memctx_windows_image_pages_next(&finder->pages, &page)) {
        if (finder->steps_left-- == STEPS_MAX)
            finder->mark = page.gva ^ page.gpa;
        if (!finder->thorough && !makes_run(&finder->run, &page))
            continue;
        finder->page = finder->thorough ? page : finder->run;
        return true;
    }
    return false;
}

/* Step to the next 4 KiB to look at; false when the round is over. */
static bool
next_page(struct memctx_windows_finder *finder)
{
    if (finder->thorough && finder->page.size > MEMCTX_PAGE_SIZE) {
        cut_first_page(&finder->page);
        return true;
    }
    return next_mapping(finder);
}

/* Is there an image at this page, or the export directory of one? */
static bool
peek(struct memctx_windows_finder *finder, struct memctx_windows_image *ret,
     struct memctx_error *why)
{
    unsigned char head[MEMCTX_WINDOWS_EXPORT_DIRECTORY];
    finder->peeks_left--;
    if (memctx_rammap_read(finder->view->map, finder->page.gpa, head,
                           sizeof(head), NULL) < 0)
        return false;
    if (head[0] != 'M' || head[1] != 'Z')
        return finder->thorough &&
               memctx_windows_image_by_exports(finder->view, finder->page.gva,
                                               head, ret);
    if (memctx_windows_image_read(finder->view, finder->page.gva, ret, why) ==
        0)
        return true;
    finder->has_headers = true;
    finder->is_incomplete = finder->is_incomplete || ret->is_incomplete;
    return false;
}

/* Note an image; false: it was returned before. */
static bool
is_new(struct memctx_windows_finder *finder, uint64_t base_gva)
{
    for (size_t i = 0; i < finder->n_images; i++) {
        if (finder->base_gva[i] == base_gva)
            return false;
    }
    finder->base_gva[finder->n_images++] = base_gva;
    return true;
}

int
memctx_windows_finder_next(struct memctx_windows_finder *finder,
                           struct memctx_windows_image *ret,
                           struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    /* Bounded by PEEKS_MAX: each turn takes a peek, or begins the last round.
     */
    while (finder->peeks_left > 0 &&
           finder->n_images < MEMCTX_WINDOWS_IMAGES_MAX) {
        if (!next_page(finder)) {
            if (finder->thorough)
                break;
            restart(finder, true);
            continue;
        }
        if (peek(finder, ret, &why) && is_new(finder, ret->base_gva))
            return 0;
        if (why.kind == MEMCTX_GONE)
            break;
    }
    if (why.kind == MEMCTX_GONE)
        return memctx_error_set(err, MEMCTX_GONE, "%s", why.message);
    return memctx_error_set(
        err, MEMCTX_RETRY, "no image of ntoskrnl.exe is mapped%s%s",
        why.kind == MEMCTX_OK ? "" : "; the last image: ", why.message);
}

enum memctx_windows_missed
memctx_windows_finder_missed(const struct memctx_windows_finder *finder)
{
    if (finder->steps_left == STEPS_MAX)
        return MEMCTX_WINDOWS_MISSED_NONE;
    return finder->is_incomplete || !finder->has_headers
               ? MEMCTX_WINDOWS_MISSED_OUT
               : MEMCTX_WINDOWS_MISSED_BARE;
}
