/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
#include "unit.h"

#include "charged.h"
#include "guestimg.h"
#include "ram/work.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (8 * MEMCTX_MIB)

static void
test_what_is_left(void **state)
{
    (void)state;
    struct memctx_work work;
    memctx_work_begin(&work, 10, NULL, NULL);
    assert_true(memctx_work_charge(&work, 4));
    assert_true(memctx_work_charge(&work, 0));
    assert_false(memctx_work_is_over(&work));
    assert_true(memctx_work_charge(&work, 6));
    assert_true(memctx_work_is_over(&work));
    assert_false(memctx_work_charge(&work, 1));
    memctx_work_begin(&work, 10, NULL, NULL);
    assert_true(memctx_work_charge(&work, 10));
}

/* One that is too dear is the last: something smaller does not do instead. */
static void
test_too_dear(void **state)
{
    (void)state;
    struct memctx_work work;
    memctx_work_begin(&work, 10, NULL, NULL);
    assert_false(memctx_work_charge(&work, 11));
    assert_false(memctx_work_charge(&work, 1));
    assert_true(memctx_work_is_over(&work));
}

static void
test_nobody_counts(void **state)
{
    (void)state;
    assert_true(memctx_work_charge(NULL, UINT64_MAX));
    assert_false(memctx_work_is_over(NULL));
    assert_int_equal(memctx_work_keep_back(NULL, 1), 0);
    memctx_work_give_back(NULL, 0);
}

static void
test_parts_of_parts(void **state)
{
    (void)state;
    struct memctx_work work;
    memctx_work_begin(&work, 100, NULL, NULL);
    uint64_t outer = memctx_work_keep_back(&work, 10);
    uint64_t inner = memctx_work_keep_back(&work, 3);
    assert_true(memctx_work_charge(&work, 3));
    assert_false(memctx_work_charge(&work, 1));
    memctx_work_give_back(&work, inner);
    assert_true(memctx_work_charge(&work, 7));
    assert_false(memctx_work_charge(&work, 1));
    memctx_work_give_back(&work, outer);
    assert_int_equal(work.left, 90);
    assert_int_equal(memctx_work_keep_back(&work, 1000), 0);
    assert_true(memctx_work_charge(&work, 90));
}

static void
test_looks(void **state)
{
    (void)state;
    struct memctx_work work;
    memctx_work_begin(&work, 2, NULL, NULL);
    for (unsigned i = 1; i < 3 * MEMCTX_WORK_LOOKS; i++)
        assert_true(memctx_work_look(&work));
    assert_int_equal(memctx_work_left(&work), 0);
    assert_false(memctx_work_look(&work));
    assert_true(memctx_work_look(NULL));
    assert_int_equal(memctx_work_left(NULL), 0);
}

struct asked {
    unsigned times;
    unsigned over_at;
};

static bool
is_over(void *arg)
{
    struct asked *asked = arg;
    return ++asked->times >= asked->over_at;
}

/* Who is asked is asked soon, however small the parts are, and has the last
 * word: what was kept back is over, too. */
static void
test_somebody_is_asked(void **state)
{
    (void)state;
    struct memctx_work work;
    struct asked asked = {0, 3};
    unsigned done = 0;
    memctx_work_begin(&work, 1000000, is_over, &asked);
    while (!memctx_work_is_over(&work)) {
        uint64_t kept = memctx_work_keep_back(&work, 2);
        done += memctx_work_charge(&work, 1);
        memctx_work_give_back(&work, kept);
    }
    assert_int_equal(asked.times, 3);
    assert_in_range(done, 2 * MEMCTX_WORK_ASK, 3 * MEMCTX_WORK_ASK);
    assert_false(memctx_work_charge(&work, 1));
    assert_int_equal(asked.times, 3);
    /* One dear thing is as good as many cheap ones. */
    asked = (struct asked){0, 1};
    memctx_work_begin(&work, 1000000, is_over, &asked);
    assert_false(memctx_work_charge(&work, 100000));
}

static void
test_map_that_costs(void **state)
{
    (void)state;
    static unsigned char bytes[16 * PAGE];
    struct guestimg img;
    struct memctx_work work;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    uint64_t start;
    uint64_t end;
    guestimg_init(&img, RAM, RAM);
    guestimg_touch(&img, 4 * PAGE, 1);
    struct memctx_rammap *map = guestimg_rammap(&img, NULL);
    assert_null(memctx_rammap_work(map));
    charge_map(&map, &work, 20);
    assert_ptr_equal(memctx_rammap_work(map), &work);
    assert_done(memctx_rammap_read(map, 0, bytes, 8, &err), &err);
    assert_int_equal(work.left, 19);
    assert_true(memctx_rammap_next_data(map, 0, RAM, &start, &end));
    assert_int_equal(start, 4 * PAGE);
    assert_int_equal(work.left, 18);
    assert_done(memctx_rammap_read(map, 0, bytes, sizeof(bytes), &err), &err);
    assert_in_range(work.left, 1, 2);
    assert_int_equal(memctx_rammap_read(map, 0, bytes, 4 * PAGE, &err), -1);
    assert_error(&err, MEMCTX_RETRY, "more work than it may be");
    assert_false(memctx_rammap_next_data(map, 0, RAM, &start, &end));
    /* It holds the RAM like any map: the first one was destroyed. */
    memctx_work_begin(&work, 1, NULL, NULL);
    assert_done(memctx_rammap_read(map, RAM - 8, bytes, 8, &err), &err);
    memctx_rammap_destroy(map);
    guestimg_deinit(&img);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_left),
        cmocka_unit_test(test_too_dear),
        cmocka_unit_test(test_nobody_counts),
        cmocka_unit_test(test_parts_of_parts),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_somebody_is_asked),
        cmocka_unit_test(test_map_that_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
