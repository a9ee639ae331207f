/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which places of clues are kept, and in which order. */
#include "unit.h"

#include "search/hints.h"

static void
add_many(struct memctx_hints *hints, uint64_t first, unsigned n, bool good)
{
    for (unsigned i = 0; i < n; i++)
        memctx_hints_add(hints, first + i, good);
}

static void
test_good_ones_come_first(void **state)
{
    struct memctx_hints hints = {.n = 0};
    (void)state;
    memctx_hints_add(&hints, 1, false);
    memctx_hints_add(&hints, 2, true);
    memctx_hints_add(&hints, 3, true);
    memctx_hints_add(&hints, 4, false);
    const uint64_t wanted[] = {3, 2, 1, 4};
    assert_int_equal(hints.n, 4);
    assert_memory_equal(hints.gpa, wanted, sizeof(wanted));
}

static void
test_known_one_moves_only_when_it_is_good(void **state)
{
    struct memctx_hints hints = {.n = 0};
    (void)state;
    add_many(&hints, 1, 3, false);
    memctx_hints_add(&hints, 2, false);
    const uint64_t before[] = {1, 2, 3};
    assert_int_equal(hints.n, 3);
    assert_memory_equal(hints.gpa, before, sizeof(before));
    memctx_hints_add(&hints, 2, true);
    const uint64_t after[] = {2, 1, 3};
    assert_int_equal(hints.n, 3);
    assert_memory_equal(hints.gpa, after, sizeof(after));
}

/* However many pages look like a clue, one that led to something stays. */
static void
test_bad_ones_push_out_the_last(void **state)
{
    struct memctx_hints hints = {.n = 0};
    (void)state;
    memctx_hints_add(&hints, 1000, true);
    add_many(&hints, 1, 100, false);
    assert_int_equal(hints.n, MEMCTX_HINTS_MAX);
    assert_int_equal(hints.gpa[0], 1000);
    assert_int_equal(hints.gpa[1], 1);
    assert_int_equal(hints.gpa[MEMCTX_HINTS_MAX - 2], MEMCTX_HINTS_MAX - 2);
    assert_int_equal(hints.gpa[MEMCTX_HINTS_MAX - 1], 100);
    memctx_hints_add(&hints, 2000, true);
    assert_int_equal(hints.n, MEMCTX_HINTS_MAX);
    assert_int_equal(hints.gpa[0], 2000);
    assert_int_equal(hints.gpa[1], 1000);
    assert_int_equal(hints.gpa[MEMCTX_HINTS_MAX - 1], MEMCTX_HINTS_MAX - 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_ones_come_first),
        cmocka_unit_test(test_known_one_moves_only_when_it_is_good),
        cmocka_unit_test(test_bad_ones_push_out_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
