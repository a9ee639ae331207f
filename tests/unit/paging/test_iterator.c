/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What an address space maps, in order; tables that a guest may have written as
 * it likes. */
#include "unit.h"

#include "charged.h"
#include "guestimg.h"
#include "paging/iterator.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (64 * MEMCTX_MIB)
#define ROOT (2 * MEMCTX_MIB)
#define P MEMCTX_PTE_PRESENT
#define FOUR MEMCTX_PAGING_X86_64_4LEVEL
#define FIRST UINT64_C(0xfffff80000000000)
#define LAST UINT64_C(0xfffff87fffffffff)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_iterator pages;
    struct memctx_work work;
};

static const struct guestimg_space four = {ROOT, 4};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->map = guestimg_rammap(&f->img, NULL);
    charge_map(&f->map, &f->work, 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static void
begin(struct fixture *f, enum memctx_paging paging, uint64_t first,
      uint64_t last)
{
    memctx_work_begin(&f->work, 10000, NULL, NULL);
    memctx_iterator_init(&f->pages, f->map, paging, ROOT, first, last);
}

static void
expect(struct fixture *f, uint64_t gva, uint64_t gpa, uint64_t size)
{
    struct memctx_mapped_page mapping;
    assert_true(memctx_iterator_next(&f->pages, &mapping));
    assert_true(mapping.gva == gva);
    assert_true(mapping.gpa == gpa);
    assert_true(mapping.size == size);
}

static void
expect_end(struct fixture *f)
{
    struct memctx_mapped_page mapping;
    assert_false(memctx_iterator_next(&f->pages, &mapping));
    assert_false(memctx_iterator_next(&f->pages, &mapping));
}

static void
test_pages_of_all_sizes_in_order(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, FIRST + 3 * MEMCTX_GIB, MEMCTX_GIB, MEMCTX_GIB,
                 P);
    guestimg_map(&f->img, &four, FIRST + 0x5000, 0x777000, PAGE, P);
    guestimg_map(&f->img, &four, FIRST + 0x600000, 0xc00000, 2 * MEMCTX_MIB, P);
    guestimg_map(&f->img, &four, LAST - 0xfff, 0x888000, PAGE, P);
    begin(f, FOUR, FIRST, LAST);
    expect(f, FIRST + 0x5000, 0x777000, PAGE);
    expect(f, FIRST + 0x600000, 0xc00000, 2 * MEMCTX_MIB);
    expect(f, FIRST + 3 * MEMCTX_GIB, MEMCTX_GIB, MEMCTX_GIB);
    expect(f, LAST - 0xfff, 0x888000, PAGE);
    expect_end(f);
}

static void
test_limits(void **state)
{
    struct fixture *f = *state;
    guestimg_map_range(&f->img, &four, FIRST, 0x700000, 4 * PAGE, PAGE, P);
    begin(f, FOUR, FIRST + PAGE, FIRST + 3 * PAGE - 1);
    expect(f, FIRST + PAGE, 0x701000, PAGE);
    expect(f, FIRST + 2 * PAGE, 0x702000, PAGE);
    expect_end(f);
    begin(f, FOUR, FIRST + 1, FIRST);
    expect_end(f);
}

/* A large page is entered in its middle. */
static void
test_first_page_is_cut(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, FIRST, 0xc00000, 2 * MEMCTX_MIB, P);
    begin(f, FOUR, FIRST + 0x10000, LAST);
    expect(f, FIRST + 0x10000, 0xc10000, 0x1f0000);
    expect_end(f);
}

/* The last address of all is followed by none. */
static void
test_end_of_the_address_space(void **state)
{
    struct fixture *f = *state;
    const struct guestimg_space five = {ROOT, 5};
    guestimg_map(&f->img, &five, UINT64_C(0xfffffffffffff000), 0x777000, PAGE,
                 P);
    begin(f, MEMCTX_PAGING_X86_64_5LEVEL, UINT64_C(0xffffffffffe00000),
          UINT64_MAX);
    expect(f, UINT64_C(0xfffffffffffff000), 0x777000, PAGE);
    expect_end(f);
}

static void
test_formats_of_32_bits(void **state)
{
    struct fixture *f = *state;
    const struct guestimg_space old = {ROOT, 2};
    guestimg_map(&f->img, &old, 0x80400000, 0x40c00000 | 1 << 13,
                 4 * MEMCTX_MIB, P);
    guestimg_map(&f->img, &old, 0xfffff000, 0x777000, PAGE, P);
    begin(f, MEMCTX_PAGING_X86_2LEVEL, 0x80000000, UINT32_MAX);
    expect(f, 0x80400000, UINT64_C(0x140c00000), 4 * MEMCTX_MIB);
    expect(f, 0xfffff000, 0x777000, PAGE);
    expect_end(f);
}

static void
test_entries_that_are_no_good_map_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t slot = ROOT + 0x1f0 * 8;
    guestimg_write_le64(&f->img, slot, RAM | P); /* outside RAM */
    begin(f, FOUR, FIRST, LAST);
    expect_end(f);
    guestimg_write_le64(&f->img, slot, P | MEMCTX_PTE_LARGE); /* reserved */
    begin(f, FOUR, FIRST, LAST);
    expect_end(f);
    guestimg_write_le64(&f->img, slot, 0);
    guestimg_map(&f->img, &four, FIRST, 0x202000, 2 * MEMCTX_MIB, P);
    begin(f, FOUR, FIRST, LAST);
    expect_end(f);
}

/* 512 tables that are one: the pages go on, the reads stay few, and looking
 * costs a little. */
static void
test_table_that_leads_to_itself(void **state)
{
    struct fixture *f = *state;
    struct memctx_mapped_page mapping;
    for (uint64_t at = 0; at < PAGE; at += 8)
        guestimg_write_le64(&f->img, ROOT + at, ROOT | P);
    begin(f, FOUR, FIRST, LAST);
    for (int i = 0; i < 100000; i++)
        assert_true(memctx_iterator_next(&f->pages, &mapping));
    assert_int_equal(mapping.gpa, ROOT);
    uint64_t looks = 100000 / MEMCTX_WORK_LOOKS;
    assert_in_range(10000 - f->work.left, looks, looks + 10);
    while (memctx_iterator_next(&f->pages, &mapping))
        ;
    assert_true(memctx_work_is_over(&f->work));
}

static void
test_no_work_left(void **state)
{
    struct fixture *f = *state;
    guestimg_map_range(&f->img, &four, FIRST, 0x700000, 4 * PAGE, PAGE, P);
    begin(f, FOUR, FIRST, LAST);
    f->work.left = 3;
    expect_end(f);
    assert_true(memctx_work_is_over(&f->work));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_pages_of_all_sizes_in_order),
        T(test_limits),
        T(test_first_page_is_cut),
        T(test_end_of_the_address_space),
        T(test_formats_of_32_bits),
        T(test_entries_that_are_no_good_map_nothing),
        T(test_table_that_leads_to_itself),
        T(test_no_work_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
