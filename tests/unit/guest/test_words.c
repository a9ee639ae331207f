/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a clock may do in the time that passed, and what a kernel's clocks say
 * together. */
#include "unit.h"

#include "base/bytes.h"
#include "guest/words.h"

#define SECOND UINT64_C(1000000)

static const struct memctx_words law = {.per_second = 1000, .least = 100};

static void
test_steps_of_one_clock(void **state)
{
    (void)state;
    static const struct {
        uint64_t from;
        uint64_t to;
        uint64_t elapsed_us;
        enum memctx_step step;
    } rows[] = {
        {500, 500, SECOND, MEMCTX_STEP_STANDS},
        {500, 501, 0, MEMCTX_STEP_MOVES},
        {500, 61500, SECOND, MEMCTX_STEP_MOVES},
        {500, 61501, SECOND, MEMCTX_STEP_AWAY},
        {500, UINT64_MAX, SECOND, MEMCTX_STEP_AWAY},
        {500, 499, SECOND, MEMCTX_STEP_BACK},
        {500, 100, SECOND, MEMCTX_STEP_BACK},
        {500, 99, SECOND, MEMCTX_STEP_AWAY},
        {500, 0, SECOND, MEMCTX_STEP_AWAY}, /* a hole */
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++)
        assert_int_equal(memctx_words_step(&law, rows[i].from, rows[i].to,
                                           rows[i].elapsed_us),
                         rows[i].step);
}

static void
test_one_that_moves_is_enough(void **state)
{
    (void)state;
    struct memctx_words words = law;
    const uint64_t now[] = {200, 201, 200};
    words.n = 3;
    for (size_t i = 0; i < words.n; i++)
        words.word[i].value = 200;
    assert_int_equal(memctx_words_judge(&words, now, SECOND),
                     MEMCTX_STEP_MOVES);
    assert_int_equal(words.word[1].value, 201);
    assert_int_equal(memctx_words_judge(&words, now, SECOND),
                     MEMCTX_STEP_STANDS);
}

static struct memctx_words
two_words(void)
{
    struct memctx_words words = law;
    words.n = 2;
    words.word[0] = (struct memctx_clock){.gpa = 8, .value = 200};
    words.word[1] = (struct memctx_clock){.gpa = 16, .value = 200};
    return words;
}

/* Beside a clock that goes on: the time when something is due, say. */
static void
test_one_that_is_no_clock_is_left_out(void **state)
{
    (void)state;
    static const uint64_t now[][2] = {{150, 201}, {0, 201}, {UINT64_MAX, 201}};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(now); i++) {
        struct memctx_words words = two_words();
        assert_int_equal(memctx_words_judge(&words, now[i], SECOND),
                         MEMCTX_STEP_MOVES);
        assert_int_equal(words.n, 1);
        assert_int_equal(words.word[0].gpa, 16);
        assert_int_equal(words.word[0].value, 201);
    }
}

/* None moves: that one went back is doubtful, until the next look. */
static void
test_one_that_is_no_clock_tears_the_rest(void **state)
{
    (void)state;
    struct memctx_words words = two_words();
    const uint64_t torn[] = {150, 200};
    const uint64_t on[] = {150, 201};
    assert_int_equal(memctx_words_judge(&words, torn, SECOND),
                     MEMCTX_STEP_TORN);
    assert_int_equal(memctx_words_judge(&words, torn, SECOND),
                     MEMCTX_STEP_TORN);
    assert_int_equal(memctx_words_judge(&words, on, SECOND), MEMCTX_STEP_MOVES);
    assert_int_equal(words.n, 1);
}

/* That a word is ahead of what it was at an unknown time is no sign of life. */
static void
test_one_that_is_no_clock_after_an_unknown_time(void **state)
{
    (void)state;
    struct memctx_words words = two_words();
    const uint64_t before[] = {150, 900};
    const uint64_t on[] = {150, 901};
    assert_int_equal(memctx_words_judge(&words, before, UINT64_MAX),
                     MEMCTX_STEP_TORN);
    assert_int_equal(words.n, 2);
    assert_int_equal(memctx_words_judge(&words, on, SECOND), MEMCTX_STEP_MOVES);
    assert_int_equal(words.n, 1);
}

static void
test_all_that_are_no_clocks(void **state)
{
    (void)state;
    struct memctx_words words = two_words();
    const uint64_t back[] = {150, 199};
    const uint64_t away[] = {150, 0};
    assert_int_equal(memctx_words_judge(&words, back, SECOND),
                     MEMCTX_STEP_BACK);
    words = two_words();
    assert_int_equal(memctx_words_judge(&words, away, SECOND),
                     MEMCTX_STEP_AWAY);
    assert_int_equal(words.n, 2);
}

/* The kernel's own "nobody", and what another kernel wrote there. */
static void
test_word_that_tells_of_a_panic(void **state)
{
    (void)state;
    assert_false(memctx_words_tell_panic(UINT32_MAX));
    assert_true(memctx_words_tell_panic(0));
    assert_true(memctx_words_tell_panic(8191));
    assert_false(memctx_words_tell_panic(8192));
    assert_false(memctx_words_tell_panic(0x81000000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_of_one_clock),
        cmocka_unit_test(test_one_that_moves_is_enough),
        cmocka_unit_test(test_one_that_is_no_clock_is_left_out),
        cmocka_unit_test(test_one_that_is_no_clock_tears_the_rest),
        cmocka_unit_test(test_one_that_is_no_clock_after_an_unknown_time),
        cmocka_unit_test(test_all_that_are_no_clocks),
        cmocka_unit_test(test_word_that_tells_of_a_panic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
