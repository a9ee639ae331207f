/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What happens again and again is told rarely, and with its count. */
#include "unit.h"

#include "common/repeats.h"

static const struct repeats_rule rule = {
    .free = 3, .first_ms = 60000, .cap_ms = 3600000, .forget_ms = 600000};

static void
test_first_are_told_one_by_one(void **state)
{
    (void)state;
    struct repeats r = {.told = 0};
    char words[REPEATS_WORDS_SIZE];
    for (unsigned i = 0; i < 3; i++) {
        assert_true(repeats_happen(&r, &rule, 1000 + i, words));
        assert_string_equal(words, "");
    }
    assert_false(repeats_happen(&r, &rule, 1010, words));
}

static void
test_count_and_growing_delays(void **state)
{
    (void)state;
    struct repeats r = {.told = 0};
    char words[REPEATS_WORDS_SIZE];
    unsigned told = 0;
    for (uint64_t ms = 0; ms < 24 * 3600000ull; ms += 50)
        told += repeats_happen(&r, &rule, ms, words);
    /* Three, after 1, 5, 21 and 81 min, and each hour. */
    assert_int_equal(told, 3 + 4 + 22);
    r = (struct repeats){.told = 3, .told_ms = 0, .delay_ms = 60000};
    for (uint64_t ms = 0; ms < 60000; ms += 1000)
        assert_false(repeats_happen(&r, &rule, ms, words));
    assert_true(repeats_happen(&r, &rule, 60000, words));
    assert_string_equal(words, " (60 times more in 60 s)");
    assert_false(repeats_happen(&r, &rule, 60001, words));
    assert_true(repeats_happen(&r, &rule, 660000, words));
    assert_string_equal(words, " (1 time more in 10 min)");
}

static void
test_quiet_time_makes_it_new(void **state)
{
    (void)state;
    struct repeats r = {.told = 0};
    char words[REPEATS_WORDS_SIZE];
    for (unsigned i = 0; i < 3; i++)
        repeats_happen(&r, &rule, 1000, words);
    assert_true(repeats_happen(&r, &rule, 601000, words));
    assert_int_equal(r.told, 1);
}

static void
test_what_became_of_it_is_told(void **state)
{
    (void)state;
    struct repeats r = {.told = 0};
    char words[REPEATS_WORDS_SIZE];
    for (unsigned i = 0; i < 5; i++)
        repeats_happen(&r, &rule, 1000, words);
    assert_false(repeats_settle(&r, &rule, 60000, words));
    assert_true(repeats_settle(&r, &rule, 61000, words));
    assert_string_equal(words, " (2 times more in 60 s)");
    assert_false(repeats_settle(&r, &rule, 9000000, words));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_are_told_one_by_one),
        cmocka_unit_test(test_count_and_growing_delays),
        cmocka_unit_test(test_quiet_time_makes_it_new),
        cmocka_unit_test(test_what_became_of_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
