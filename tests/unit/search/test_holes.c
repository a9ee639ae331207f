/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM that was a hole: what is found in it, and what remains when a part of it
 * was looked at. */
#include "unit.h"

#include "base/bytes.h"
#include "guestimg.h"
#include "search/holes.h"

#define PAGE MEMCTX_PAGE_SIZE

static void
assert_hole(const struct memctx_holes *holes, size_t at, uint64_t gpa,
            uint64_t end_gpa)
{
    assert_in_range(at, 0, holes->n - 1);
    assert_int_equal(holes->range[at].gpa, gpa);
    assert_int_equal(holes->range[at].size, end_gpa - gpa);
}

/* One hole of ten pages. */
static struct memctx_holes
ten_pages(void)
{
    return (struct memctx_holes){.range = {{10 * PAGE, 10 * PAGE}}, .n = 1};
}

static void
test_cut_from_the_middle(void **state)
{
    struct memctx_holes holes = ten_pages();
    (void)state;
    assert_int_equal(memctx_holes_cut(&holes, 0, 12 * PAGE, 15 * PAGE), 1);
    assert_int_equal(holes.n, 2);
    assert_hole(&holes, 0, 10 * PAGE, 12 * PAGE);
    assert_hole(&holes, 1, 15 * PAGE, 20 * PAGE);
}

static void
test_cut_from_the_ends(void **state)
{
    struct memctx_holes holes = ten_pages();
    (void)state;
    assert_int_equal(memctx_holes_cut(&holes, 0, 10 * PAGE, 12 * PAGE), 0);
    assert_int_equal(holes.n, 1);
    assert_hole(&holes, 0, 12 * PAGE, 20 * PAGE);
    assert_int_equal(memctx_holes_cut(&holes, 0, 18 * PAGE, 20 * PAGE), 1);
    assert_int_equal(holes.n, 1);
    assert_hole(&holes, 0, 12 * PAGE, 18 * PAGE);
    assert_int_equal(memctx_holes_cut(&holes, 0, 12 * PAGE, 18 * PAGE), 0);
    assert_int_equal(holes.n, 0);
}

/* A full table has no room for two where one was: the part before goes. Those
 * behind stay. */
static void
test_cut_when_the_table_is_full(void **state)
{
    struct memctx_holes holes = {.n = MEMCTX_HOLES_MAX};
    (void)state;
    for (size_t i = 0; i < holes.n; i++)
        holes.range[i] = (struct memctx_range){i * 100 * PAGE, 10 * PAGE};
    assert_int_equal(memctx_holes_cut(&holes, 1, 102 * PAGE, 105 * PAGE), 1);
    assert_int_equal(holes.n, MEMCTX_HOLES_MAX);
    assert_hole(&holes, 0, 0, 10 * PAGE);
    assert_hole(&holes, 1, 105 * PAGE, 110 * PAGE);
    assert_hole(&holes, 2, 200 * PAGE, 210 * PAGE);
    /* The last part of one fits, as it takes no more room. */
    assert_int_equal(memctx_holes_cut(&holes, 2, 202 * PAGE, 210 * PAGE), 3);
    assert_hole(&holes, 2, 200 * PAGE, 202 * PAGE);
    assert_hole(&holes, 3, 300 * PAGE, 310 * PAGE);
}

static void
test_data_in_a_hole(void **state)
{
    struct guestimg img;
    struct memctx_holes holes;
    struct memctx_range fresh;
    (void)state;
    guestimg_init(&img, 64 * MEMCTX_MIB, 32 * MEMCTX_MIB);
    struct memctx_rammap *map = guestimg_rammap(&img, NULL);
    memctx_holes_fill(&holes, map);
    assert_int_equal(holes.n, 2);
    assert_hole(&holes, 0, 0, 32 * MEMCTX_MIB);
    assert_hole(&holes, 1, 4 * MEMCTX_GIB, 4 * MEMCTX_GIB + 32 * MEMCTX_MIB);
    assert_false(memctx_holes_find_data(&holes, 0, map, &fresh));
    assert_false(memctx_holes_find_data(&holes, 1, map, &fresh));
    guestimg_touch(&img, 4 * MEMCTX_GIB + 3 * PAGE, 2 * PAGE);
    assert_false(memctx_holes_find_data(&holes, 0, map, &fresh));
    assert_true(memctx_holes_find_data(&holes, 1, map, &fresh));
    assert_int_equal(fresh.gpa, 4 * MEMCTX_GIB + 3 * PAGE);
    assert_int_equal(fresh.size, 2 * PAGE);
    memctx_rammap_destroy(map);
    guestimg_deinit(&img);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_from_the_middle),
        cmocka_unit_test(test_cut_from_the_ends),
        cmocka_unit_test(test_cut_when_the_table_is_full),
        cmocka_unit_test(test_data_in_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
