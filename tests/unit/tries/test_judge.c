/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the answer to a reading of the last messages leaves to be done. */
#include "unit.h"

#include "tries/judge.h"

/* An adapter that has asked, when the kernel had been heard to log once; it has
 * been heard `wrote` times by now. */
static struct adapter
reading(unsigned wrote)
{
    return (struct adapter){.asked = {.task = MEMCTX_PROBE_LAST_WORDS},
                            .wrote = wrote,
                            .reading = 1};
}

static enum life_event
answer(struct adapter *a, bool panicked)
{
    struct adapter_result result = {.attempt = 3};
    const struct tries_outcome outcome = {.fault = TRIES_FINE,
                                          .answer = {.panicked = panicked}};
    return judge_outcome(a, &outcome, &result);
}

static void
test_all_that_was_logged_is_read(void **state)
{
    (void)state;
    struct adapter a = reading(1);
    assert_int_equal(answer(&a, false), LIFE_SETTLED);
    assert_int_equal(a.wrote, 0);
    assert_false(a.has_heard);
}

/* It may be the panic, after which nothing is logged any more. */
static void
test_what_was_logged_meanwhile_is_yet_to_be_read(void **state)
{
    (void)state;
    struct adapter a = reading(2);
    assert_int_equal(answer(&a, false), LIFE_SETTLED);
    assert_int_not_equal(a.wrote, 0);
}

static void
test_panic_is_heard(void **state)
{
    (void)state;
    struct adapter a = reading(1);
    assert_int_equal(answer(&a, true), LIFE_SETTLED);
    assert_true(a.has_heard);
    assert_int_equal(a.heard.event, MEMCTX_EVENT_DIED);
    assert_int_equal(a.heard.attempt, 3);
    assert_string_equal(a.heard.why.message,
                        "the guest panicked, as its log says");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_was_logged_is_read),
        cmocka_unit_test(test_what_was_logged_meanwhile_is_yet_to_be_read),
        cmocka_unit_test(test_panic_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
