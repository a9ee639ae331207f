/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How long to wait after a try, and how much to read in the next, in numbers.
 */
#include "unit.h"

#include "domain/backoff.h"
#include "base/bytes.h"

static const struct memctx_backoff_limits defaults = MEMCTX_BACKOFF_DEFAULTS;

static void
test_first_delay(void **state)
{
    (void)state;
    assert_int_equal(memctx_backoff_delay(&defaults, 1, 0), 50000);
    assert_int_equal(memctx_backoff_delay(&defaults, 2, 0), 55000);
    assert_int_equal(memctx_backoff_delay(&defaults, 3, 0), 60500);
}

static void
test_attempt_nobody_made(void **state)
{
    (void)state;
    assert_int_equal(memctx_backoff_delay(&defaults, 0, 0), 50000);
}

static void
test_delays_grow_by_a_tenth_up_to_the_cap(void **state)
{
    (void)state;
    uint64_t last = memctx_backoff_delay(&defaults, 1, 0);
    for (unsigned n = 2; n < 100; n++) {
        uint64_t delay = memctx_backoff_delay(&defaults, n, 0);
        assert_true(delay >= last);
        assert_true(delay <= last + last / 10);
        assert_true(delay <= 2000000);
        last = delay;
    }
    assert_int_equal(last, 2000000);
    assert_int_equal(memctx_backoff_delay(&defaults, UINT32_MAX, 0), 2000000);
}

/* A datum is late by about a tenth of the time waited, until the cap. */
static void
test_lateness(void **state)
{
    (void)state;
    uint64_t waited = 0;
    for (unsigned n = 1; n < 200; n++) {
        uint64_t delay = memctx_backoff_delay(&defaults, n, 0);
        if (delay < defaults.cap_us && waited > 20 * defaults.first_us)
            assert_true(delay <= waited / 10 + defaults.first_us);
        waited += delay;
    }
}

static void
test_cost_stretches_the_delay(void **state)
{
    (void)state;
    assert_int_equal(memctx_backoff_delay(&defaults, 1, 999), 50000);
    assert_int_equal(memctx_backoff_delay(&defaults, 1, 1000), 50000);
    assert_int_equal(memctx_backoff_delay(&defaults, 1, 1001), 50050);
    /* Beyond the cap too: 2 % of a core is a promise, the cap is not. */
    assert_int_equal(memctx_backoff_delay(&defaults, 99, 1000000), 50000000);
}

static void
test_cost_that_does_not_fit(void **state)
{
    (void)state;
    assert_true(memctx_backoff_delay(&defaults, 1, UINT64_MAX) == UINT64_MAX);
    assert_true(memctx_backoff_delay(&defaults, 1, UINT64_MAX / 50) >=
                UINT64_MAX - 50);
}

static void
test_no_growth(void **state)
{
    (void)state;
    struct memctx_backoff_limits flat = defaults;
    flat.growth_percent = 0;
    assert_int_equal(memctx_backoff_delay(&flat, UINT32_MAX, 0), 50000);
}

/* A tenth of 5 us is nothing; the delays must grow all the same. */
static void
test_growth_of_less_than_a_microsecond(void **state)
{
    (void)state;
    struct memctx_backoff_limits tiny = defaults;
    tiny.first_us = 5;
    assert_int_equal(memctx_backoff_delay(&tiny, 10000, 0), 2000000);
}

static void
test_cap_as_large_as_can_be(void **state)
{
    (void)state;
    struct memctx_backoff_limits endless = defaults;
    uint64_t last = 0;
    endless.cap_us = UINT64_MAX;
    for (unsigned n = 1; n < 1000; n++) {
        uint64_t delay = memctx_backoff_delay(&endless, n, 0);
        assert_true(delay >= last);
        last = delay;
    }
}

static void
test_cap_below_the_first_delay(void **state)
{
    (void)state;
    struct memctx_backoff_limits low = defaults;
    low.cap_us = 10;
    assert_int_equal(memctx_backoff_delay(&low, 1, 0), 10);
}

/* What the budget allows to read costs no longer delay than the natural. */
static void
test_budget_fits_the_delay(void **state)
{
    (void)state;
    static const uint64_t ns_per_mib[] = {10000, 60000, 123456};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ns_per_mib); i++) {
        for (unsigned n = 1; n < 80; n++) {
            uint64_t mib =
                memctx_backoff_budget(&defaults, n, ns_per_mib[i]) / MEMCTX_MIB;
            uint64_t cost_us = mib * ns_per_mib[i] / 1000;
            assert_true(mib >= 1);
            assert_int_equal(memctx_backoff_delay(&defaults, n, cost_us),
                             memctx_backoff_delay(&defaults, n, 0));
        }
    }
}

static void
test_budget_grows_with_the_delay(void **state)
{
    (void)state;
    /* 50 ms / 50 = 1 ms, of which two thirds; 40 ms at the cap. */
    assert_int_equal(memctx_backoff_budget(&defaults, 1, 100000),
                     6 * MEMCTX_MIB);
    assert_int_equal(memctx_backoff_budget(&defaults, 999, 100000),
                     266 * MEMCTX_MIB);
}

static void
test_budget_is_never_nothing(void **state)
{
    (void)state;
    assert_int_equal(memctx_backoff_budget(&defaults, 1, UINT64_MAX),
                     MEMCTX_MIB);
    assert_true(memctx_backoff_budget(&defaults, 1, 0) >= MEMCTX_MIB);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_first_delay),
        T(test_attempt_nobody_made),
        T(test_delays_grow_by_a_tenth_up_to_the_cap),
        T(test_lateness),
        T(test_cost_stretches_the_delay),
        T(test_cost_that_does_not_fit),
        T(test_no_growth),
        T(test_growth_of_less_than_a_microsecond),
        T(test_cap_as_large_as_can_be),
        T(test_cap_below_the_first_delay),
        T(test_budget_fits_the_delay),
        T(test_budget_grows_with_the_delay),
        T(test_budget_is_never_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
