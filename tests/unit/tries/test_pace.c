/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* When the next try is made, with the clock in the hands of the test. */
#include "unit.h"

#include "base/bytes.h"
#include "tries/pace.h"

#define MS UINT64_C(1000)
#define SECOND (1000 * MS)
#define CREDIT (150 * MS)

static const struct memctx_backoff_limits limits = {.first_us = 50 * MS,
                                                    .cap_us = 2 * SECOND,
                                                    .growth_percent = 10,
                                                    .cost_factor = 50,
                                                    .credit_us = CREDIT};

static struct pace
begun(void)
{
    struct pace pace;
    pace_init(&pace, &limits);
    pace_begin(&pace, SECOND);
    return pace;
}

static unsigned
tries_at_first_delay(struct pace *pace)
{
    unsigned n = 0;
    for (; n < 10000 && pace_next(pace, SECOND) == limits.first_us; n++) {
        pace_begin(pace, SECOND);
        pace_fail(pace, false, false);
    }
    return n;
}

static void
assert_grows_to_cap(struct pace *pace)
{
    uint64_t last = 0;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t delay = pace_next(pace, SECOND);
        assert_true(delay > last || delay == limits.cap_us);
        last = delay;
        pace_begin(pace, SECOND);
        pace_fail(pace, false, false);
    }
    assert_int_equal(last, limits.cap_us);
}

/* Half a minute long, while they cost nothing. */
static void
test_delays_of_a_young_boot_do_not_grow(void **state)
{
    (void)state;
    struct pace pace = begun();
    assert_in_range(tries_at_first_delay(&pace), 590, 601);
    assert_grows_to_cap(&pace);
    pace_restart(&pace);
    assert_in_range(tries_at_first_delay(&pace), 590, 601);
}

static void
test_delays_grow_up_to_the_cap(void **state)
{
    (void)state;
    struct pace pace = begun();
    pace_restart_late(&pace);
    assert_grows_to_cap(&pace);
    pace_restart_late(&pace);
    assert_int_equal(pace_next(&pace, SECOND), 50 * MS);
}

/* Delays grow when half of the credit is used, before tries have to wait. */
static void
test_dear_tries_make_a_boot_old(void **state)
{
    (void)state;
    struct pace pace = begun();
    pace_charge(&pace, CREDIT / 2, SECOND);
    assert_in_range(tries_at_first_delay(&pace), 590, 601);
    pace_restart(&pace);
    pace_charge(&pace, 1, SECOND);
    assert_false(pace_is_early(&pace, SECOND));
    pace_begin(&pace, SECOND);
    assert_in_range(pace_next(&pace, SECOND), 51 * MS, 60 * MS);
}

/* 2 % of a core, however often it is reset, but for what is lent. */
static void
test_cost_is_paid_for_across_boots(void **state)
{
    (void)state;
    struct pace pace = begun();
    pace_charge(&pace, CREDIT, SECOND);
    assert_false(pace_is_early(&pace, SECOND));
    pace_charge(&pace, 10 * MS, SECOND);
    pace_restart(&pace);
    assert_int_equal(pace_next(&pace, SECOND), 500 * MS);
    assert_true(pace_is_early(&pace, SECOND + 499 * MS));
    assert_false(pace_is_early(&pace, SECOND + 500 * MS));
    /* What is charged before that is added to it. */
    pace_charge(&pace, 10 * MS, SECOND);
    assert_int_equal(pace_next(&pace, SECOND), SECOND);
    /* A minute later all is paid for. */
    assert_int_equal(pace_next(&pace, 60 * SECOND), 50 * MS);
}

static void
test_cost_beyond_all_bounds(void **state)
{
    (void)state;
    struct pace pace = begun();
    pace_charge(&pace, UINT64_MAX / 2, SECOND);
    assert_true(pace_is_early(&pace, UINT64_MAX / 2));
    pace_charge(&pace, 1, SECOND);
    assert_true(pace_is_early(&pace, UINT64_MAX / 2));
}

/* Reading a clock a second time is no try, and does not wait as one does. */
static void
test_clocks_are_watched_between_tries(void **state)
{
    (void)state;
    struct pace pace = begun();
    uint64_t now = SECOND;
    unsigned watches = 0;
    /* The next try is in 2 s. */
    pace_charge(&pace, CREDIT + 40 * MS, now);
    pace_fail(&pace, true, false);
    now += pace_next(&pace, now);
    assert_int_equal(now, SECOND + 50 * MS);
    for (; pace_wants_watch(&pace, now); watches++) {
        pace_watched(&pace, 100);
        pace_fail(&pace, true, false);
        uint64_t delay = pace_next(&pace, now);
        assert_true(delay <= 500 * MS);
        now += delay;
    }
    assert_int_equal(now, SECOND + 2 * SECOND);
    assert_in_range(watches, 10, 30);
    pace_begin(&pace, SECOND);
    assert_false(pace_wants_watch(&pace, now));
}

/* A watch that is dear waits for what it costs. */
static void
test_dear_watches_are_rare(void **state)
{
    (void)state;
    struct pace pace = begun();
    pace_charge(&pace, CREDIT + 100 * MS, SECOND);
    pace_fail(&pace, true, false);
    pace_next(&pace, SECOND);
    pace_watched(&pace, 20 * MS);
    pace_fail(&pace, true, false);
    assert_int_equal(pace_next(&pace, SECOND), SECOND);
}

static void
test_probers_that_fail_are_started_rarely(void **state)
{
    (void)state;
    struct pace pace = begun();
    static const uint64_t wanted[] = {100, 200, 400, 800, 1600, 3200};
    for (unsigned i = 0; i < MEMCTX_ARRAY_LEN(wanted); i++) {
        pace_fail(&pace, false, true);
        assert_int_equal(pace_next(&pace, SECOND), wanted[i] * MS);
    }
    for (unsigned i = 0; i < 20; i++)
        pace_fail(&pace, false, true);
    assert_int_equal(pace_next(&pace, SECOND), 30 * SECOND);
    pace_fail(&pace, false, false);
    assert_int_equal(pace_next(&pace, SECOND), 50 * MS);
}

static void
test_budget_follows_what_reading_costs(void **state)
{
    (void)state;
    struct pace pace = begun();
    pace_restart_late(&pace);
    for (unsigned i = 0; i < 20; i++)
        pace_begin(&pace, SECOND);
    uint64_t guessed = pace_budget(&pace);
    /* Ten times as dear as was guessed: 1.4 ms for a MiB. */
    pace_measure(&pace, 14 * MS, 10 * MEMCTX_MIB);
    assert_in_range(pace_budget(&pace), guessed / 20, guessed / 5);
    /* What a prober says of less than a MiB, or of no time, counts little. */
    pace_measure(&pace, SECOND, MEMCTX_MIB - 1);
    assert_in_range(pace_budget(&pace), guessed / 20, guessed / 5);
    pace_measure(&pace, 0, UINT64_MAX);
    assert_true(pace_budget(&pace) > guessed);
}

/* Proofs may make a try dear that reads little. */
static void
test_small_budget_grows_again(void **state)
{
    (void)state;
    struct pace pace = begun();
    uint64_t guessed = pace_budget(&pace);
    pace_measure(&pace, 100 * MS, MEMCTX_MIB);
    assert_int_equal(pace_budget(&pace), MEMCTX_MIB);
    for (unsigned i = 0; i < 10; i++)
        pace_measure(&pace, 50, pace_budget(&pace) / 2);
    assert_true(pace_budget(&pace) > guessed / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delays_of_a_young_boot_do_not_grow),
        cmocka_unit_test(test_delays_grow_up_to_the_cap),
        cmocka_unit_test(test_dear_tries_make_a_boot_old),
        cmocka_unit_test(test_cost_is_paid_for_across_boots),
        cmocka_unit_test(test_cost_beyond_all_bounds),
        cmocka_unit_test(test_clocks_are_watched_between_tries),
        cmocka_unit_test(test_dear_watches_are_rare),
        cmocka_unit_test(test_probers_that_fail_are_started_rarely),
        cmocka_unit_test(test_budget_follows_what_reading_costs),
        cmocka_unit_test(test_small_budget_grows_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
