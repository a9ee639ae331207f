/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The guard of metadata, in milliseconds that the tests make up. */
#include "unit.h"

#include "publish/guard.h"

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define OTHER "00000000-0000-0000-0000-000000000001"

static int
set_up(void **state)
{
    *state = guard_create();
    assert_non_null(*state);
    return 0;
}

static int
tear_down(void **state)
{
    guard_destroy(*state);
    return 0;
}

static void
assert_due(struct guard *g, const char *uuid, uint64_t now_ms)
{
    const char *due = guard_due(g, now_ms);
    assert_non_null(due);
    assert_string_equal(due, uuid);
}

/* One round of a fight: somebody writes at *now_ms, and it is put right as soon
 * as the guard lets us. Our own write is heard, too, and found right. */
static enum guard_news
fight(struct guard *g, uint64_t *now_ms)
{
    guard_hear(g, UUID, *now_ms);
    *now_ms = guard_next_ms(g);
    assert_due(g, UUID, *now_ms);
    return guard_find(g, UUID, true, *now_ms);
}

static void
test_change_is_looked_at_at_once_and_once(void **state)
{
    struct guard *g = *state;
    assert_null(guard_due(g, 5));
    assert_int_equal(guard_next_ms(g), GUARD_NEVER);
    guard_hear(g, UUID, 7);
    guard_hear(g, UUID, 7);
    assert_int_equal(guard_next_ms(g), 7);
    assert_null(guard_due(g, 6));
    assert_due(g, UUID, 7);
    assert_null(guard_due(g, 7));
}

static void
test_nothing_is_kept_of_our_own_writes(void **state)
{
    struct guard *g = *state;
    guard_hear(g, UUID, 7);
    assert_due(g, UUID, 7);
    assert_int_equal(guard_find(g, UUID, false, 8), GUARD_NO_NEWS);
    assert_int_equal(guard_next_ms(g), GUARD_NEVER);
}

static void
test_change_during_a_look_is_looked_at_after_it(void **state)
{
    struct guard *g = *state;
    guard_hear(g, UUID, 7);
    assert_due(g, UUID, 7);
    guard_hear(g, UUID, 8);
    assert_null(guard_due(g, 8));
    guard_find(g, UUID, false, 9);
    assert_due(g, UUID, 9);
}

static void
test_what_is_not_known_yet_is_looked_at_later(void **state)
{
    struct guard *g = *state;
    guard_hear(g, UUID, 7);
    assert_due(g, UUID, 7);
    guard_postpone(g, UUID, 7);
    assert_null(guard_due(g, 7));
    uint64_t next_ms = guard_next_ms(g);
    assert_true(next_ms > 7 && next_ms <= 1000);
    assert_due(g, UUID, next_ms);
}

static void
test_domain_that_is_not_ours_is_forgotten(void **state)
{
    struct guard *g = *state;
    guard_hear(g, OTHER, 7);
    guard_hear(g, UUID, 7);
    guard_forget(g, OTHER);
    assert_due(g, UUID, 7);
    guard_forget(g, UUID);
    assert_int_equal(guard_find(g, UUID, true, 8), GUARD_NO_NEWS);
    assert_int_equal(guard_next_ms(g), GUARD_NEVER);
}

/* The first ones are put right at once; what is told of them are two lines. */
static void
test_fight_slows_down(void **state)
{
    struct guard *g = *state;
    uint64_t now_ms = 1000;
    assert_int_equal(fight(g, &now_ms), GUARD_MEDDLED);
    for (unsigned i = 2; i < GUARD_PATIENCE; i++)
        assert_int_equal(fight(g, &now_ms), GUARD_NO_NEWS);
    assert_int_equal(fight(g, &now_ms), GUARD_FOUGHT);
    assert_int_equal(now_ms, 1000);
    uint64_t delay_ms = GUARD_DELAY_FIRST_MS;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t before_ms = now_ms;
        assert_int_equal(fight(g, &now_ms), GUARD_NO_NEWS);
        assert_int_equal(now_ms - before_ms, delay_ms);
        delay_ms = delay_ms * 2 < GUARD_DELAY_CAP_MS ? delay_ms * 2
                                                     : GUARD_DELAY_CAP_MS;
    }
}

static void
test_fight_of_one_domain_delays_no_other(void **state)
{
    struct guard *g = *state;
    uint64_t now_ms = 1000;
    for (unsigned i = 0; i < 10; i++)
        fight(g, &now_ms);
    guard_hear(g, UUID, now_ms);
    guard_hear(g, OTHER, now_ms);
    assert_due(g, OTHER, now_ms);
    assert_null(guard_due(g, now_ms));
}

static void
test_calm_after_a_fight(void **state)
{
    struct guard *g = *state;
    uint64_t now_ms = 1000;
    for (unsigned i = 0; i < GUARD_PATIENCE; i++)
        fight(g, &now_ms);
    /* Ours is heard, too, after the delay. */
    guard_hear(g, UUID, now_ms);
    assert_due(g, UUID, now_ms + GUARD_DELAY_FIRST_MS);
    guard_find(g, UUID, false, now_ms + GUARD_DELAY_FIRST_MS);
    assert_int_equal(guard_next_ms(g), now_ms + GUARD_CALM_MS);
    assert_null(guard_calm(g, now_ms + GUARD_CALM_MS - 1));
    now_ms += GUARD_CALM_MS;
    assert_string_equal(guard_calm(g, now_ms), UUID);
    assert_null(guard_calm(g, now_ms));
    assert_int_equal(guard_next_ms(g), GUARD_NEVER);
    /* From then on as at first, but for what was told in this run. */
    for (unsigned i = 1; i < GUARD_PATIENCE; i++)
        assert_int_equal(fight(g, &now_ms), GUARD_NO_NEWS);
    assert_int_equal(fight(g, &now_ms), GUARD_FOUGHT_AGAIN);
}

static void
test_single_change_is_no_fight(void **state)
{
    struct guard *g = *state;
    uint64_t now_ms = 1000;
    for (unsigned i = 0; i < 10 * GUARD_PATIENCE; i++) {
        assert_int_equal(fight(g, &now_ms),
                         i == 0 ? GUARD_MEDDLED : GUARD_NO_NEWS);
        now_ms += GUARD_CALM_MS;
        assert_null(guard_calm(g, now_ms));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_change_is_looked_at_at_once_and_once),
        TEST(test_nothing_is_kept_of_our_own_writes),
        TEST(test_change_during_a_look_is_looked_at_after_it),
        TEST(test_what_is_not_known_yet_is_looked_at_later),
        TEST(test_domain_that_is_not_ours_is_forgotten),
        TEST(test_fight_slows_down),
        TEST(test_fight_of_one_domain_delays_no_other),
        TEST(test_calm_after_a_fight),
        TEST(test_single_change_is_no_fight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
