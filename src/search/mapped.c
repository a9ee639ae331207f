/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Counts what a kernel maps of RAM that only one layout has. */
#include "search/mapped.h"

#include "base/bytes.h"

/* A direct map of 128 GiB in pages of 2 MiB and one of 1 GiB in pages of 4 KiB
 * are gone through, both with what else the kernel maps. */
#define PAGES_MAX (1u << 18)
#define STEPS_MAX (4096u + (1u << 17)) /* tables, and their entries */

/* What is less may be devices. */
#define LEAST (4 * MEMCTX_MIB)

static bool
is_only_in(const struct memctx_rammap *map, const struct memctx_rammap *other,
           uint64_t gpa)
{
    gpa &= ~(uint64_t)(MEMCTX_PAGE_SIZE - 1);
    return memctx_rammap_contains(map, gpa, MEMCTX_PAGE_SIZE) &&
           !memctx_rammap_contains(other, gpa, MEMCTX_PAGE_SIZE);
}

/* The kernel's half of the addresses; all of them where the halves may be cut
 * anywhere. */
static void
choose_range(const struct memctx_paging_format *format, uint64_t *first,
             uint64_t *last)
{
    *first = 0;
    *last = UINT64_MAX;
    switch (format->above) {
    case MEMCTX_ABOVE_ZEROS:
        *last = (UINT64_C(1) << format->va_bits) - 1;
        break;
    case MEMCTX_ABOVE_SIGN:
        *first = UINT64_MAX << (format->va_bits - 1);
        break;
    case MEMCTX_ABOVE_ONES:
        *first = UINT64_MAX << format->va_bits;
        break;
    }
}

void
memctx_mapped_visit(const struct memctx_rammap *map,
                    const struct memctx_kernel *kernel, memctx_mapped_fn *visit,
                    void *arg)
{
    uint64_t first;
    uint64_t last;
    struct memctx_work *work = memctx_rammap_work(map);
    uint64_t kept = memctx_work_keep_back(work, STEPS_MAX);
    struct memctx_iterator pages;
    struct memctx_mapped_page page;
    choose_range(memctx_paging_format(kernel->paging), &first, &last);
    memctx_iterator_init(&pages, map, kernel->paging, kernel->kcr3, first,
                         last);
    for (unsigned i = 0; i < PAGES_MAX && memctx_iterator_next(&pages, &page) &&
                         visit(&page, arg);
         i++)
        ;
    memctx_work_give_back(work, kept);
}

struct count {
    const struct memctx_rammap *map;
    const struct memctx_rammap *other;
    uint64_t bytes;
};

static bool
count_page(const struct memctx_mapped_page *page, void *arg)
{
    struct count *count = arg;
    if (is_only_in(count->map, count->other, page->gpa))
        count->bytes += page->size;
    return count->bytes < MEMCTX_MAPPED_ENOUGH;
}

uint64_t
memctx_mapped_only_in(const struct memctx_rammap *map,
                      const struct memctx_rammap *other,
                      const struct memctx_kernel *kernel)
{
    struct count count = {map, other, 0};
    memctx_mapped_visit(map, kernel, count_page, &count);
    return count.bytes;
}

bool
memctx_mapped_decides(uint64_t mine, uint64_t others)
{
    return mine >= LEAST && mine / 16 >= others;
}
