/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Error values: what they keep, and what they never let through. */
#include "unit.h"

static int
fail_with_text(struct memctx_error *err, const char *text)
{
    return memctx_error_set(err, MEMCTX_RETRY, "%s", text);
}

static void
fill(char *text, size_t size, char c)
{
    memset(text, c, size - 1);
    text[size - 1] = '\0';
}

static void
test_set_is_a_whole_failure_path(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(err.kind, MEMCTX_OK);
    assert_int_equal(
        memctx_error_set(&err, MEMCTX_GONE, "page %d of %s", 7, "ram"), -1);
    assert_int_equal(err.kind, MEMCTX_GONE);
    assert_string_equal(err.message, "page 7 of ram");
}

static void
test_nobody_wants_to_know(void **state)
{
    (void)state;
    assert_int_equal(fail_with_text(NULL, "lost"), -1);
    assert_int_equal(memctx_error_prefix(NULL, "lost"), -1);
    assert_int_equal(
        memctx_error_pass(NULL, &(struct memctx_error)MEMCTX_ERROR_INIT), -1);
}

static void
test_what_is_passed_on_stays_whole(void **state)
{
    (void)state;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    fail_with_text(&why, "not yet");
    assert_int_equal(memctx_error_pass(&err, &why), -1);
    assert_int_equal(err.kind, MEMCTX_RETRY);
    assert_string_equal(err.message, "not yet");
}

static void
test_long_message_is_cut(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char text[2 * MEMCTX_MESSAGE_MAX];
    fill(text, sizeof(text), 'x');
    fail_with_text(&err, text);
    assert_int_equal(strlen(err.message), MEMCTX_MESSAGE_MAX - 1);
}

static void
test_bytes_from_outside_become_question_marks(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    fail_with_text(&err, "a\nb\033[2Jc\x7f\xc3\xa4~ ");
    assert_string_equal(err.message, "a?b?[2Jc???~ ");
    memctx_error_prefix(&err, "caf\xc3\xa9\t%s", "\r");
    assert_string_equal(err.message, "caf????: a?b?[2Jc???~ ");
}

static void
test_prefix_keeps_the_class(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    fail_with_text(&err, "inner");
    assert_int_equal(memctx_error_prefix(&err, "outer %d", 1), -1);
    assert_error(&err, MEMCTX_RETRY, "outer 1: inner");
    memctx_error_prefix(&err, "outermost");
    assert_string_equal(err.message, "outermost: outer 1: inner");
}

static void
test_prefix_of_a_full_message_cuts_its_end(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char text[MEMCTX_MESSAGE_MAX];
    fill(text, sizeof(text), 'x');
    fail_with_text(&err, text);
    memctx_error_prefix(&err, "why");
    assert_int_equal(strlen(err.message), MEMCTX_MESSAGE_MAX - 1);
    assert_memory_equal(err.message, "why: xxx", 8);
}

static void
test_prefix_longer_than_a_message(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char text[2 * MEMCTX_MESSAGE_MAX];
    for (size_t len = MEMCTX_MESSAGE_MAX - 6; len < sizeof(text); len++) {
        fail_with_text(&err, "inner");
        fill(text, len, 'y');
        memctx_error_prefix(&err, "%s", text);
        assert_true(strlen(err.message) < MEMCTX_MESSAGE_MAX);
        assert_non_null(strstr(err.message, "y: "));
    }
}

static void
test_every_class_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(memctx_error_kind_name(MEMCTX_OK), "ok");
    assert_string_equal(memctx_error_kind_name(MEMCTX_RETRY), "retry");
    assert_string_equal(memctx_error_kind_name(MEMCTX_PERMANENT), "permanent");
    assert_string_equal(memctx_error_kind_name(MEMCTX_GONE), "gone");
    assert_string_equal(memctx_error_kind_name(MEMCTX_BUG), "bug");
    assert_string_equal(memctx_error_kind_name(MEMCTX_EXHAUSTED), "exhausted");
    assert_string_equal(memctx_error_kind_name(MEMCTX_ERROR_KINDS), "?");
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_set_is_a_whole_failure_path),
        T(test_nobody_wants_to_know),
        T(test_what_is_passed_on_stays_whole),
        T(test_long_message_is_cut),
        T(test_bytes_from_outside_become_question_marks),
        T(test_prefix_keeps_the_class),
        T(test_prefix_of_a_full_message_cuts_its_end),
        T(test_prefix_longer_than_a_message),
        T(test_every_class_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
