/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Command lines that users type, right and wrong. */
#include "unit.h"

#include "base/bytes.h"
#include "common/options.h"

#define ARGS_MAX 8

static const struct option_row table[] = {
    {"connect", 'c', OPTION_TEXT, "URI", offsetof(struct options, uri), ""},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct options, json), ""},
    {"timeout", 0, OPTION_SECONDS, "S", offsetof(struct options, timeout_ms),
     ""},
    {"low", 0, OPTION_SIZE, "SIZE", offsetof(struct options, low), ""},
    {NULL, 0, OPTION_FLAG, NULL, 0, NULL},
};

/* Parse the words of `line`, which are separated by blanks. */
static int
parse(const char *line, struct options *ret, int *first,
      struct memctx_error *err)
{
    static char copy[256]; /* options point into it */
    char *argv[ARGS_MAX + 1] = {NULL};
    int argc = 0;
    snprintf(copy, sizeof(copy), "%s", line);
    char *rest = copy;
    while (argc < ARGS_MAX && (argv[argc] = strsep(&rest, " ")) != NULL)
        argc++;
    return options_parse(table, argc, argv, ret, first, err);
}

static struct options
parse_right(const char *line, int *first)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct options options;
    assert_done(parse(line, &options, first, &err), &err);
    return options;
}

static void
assert_refused(const char *line, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct options options;
    int first;
    assert_int_equal(parse(line, &options, &first, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
}

static void
test_options_stand_before_and_behind_words(void **state)
{
    (void)state;
    int first;
    struct options o =
        parse_right("memctx -c test:///x show --json web1", &first);
    assert_string_equal(o.uri, "test:///x");
    assert_true(o.json);
    assert_int_equal(first, 4);
}

static void
test_value_after_an_equals_sign(void **state)
{
    (void)state;
    int first;
    assert_string_equal(parse_right("memctx --connect=a:///b", &first).uri,
                        "a:///b");
}

static void
test_sizes_have_suffixes(void **state)
{
    (void)state;
    int first;
    assert_int_equal(parse_right("memctx --low 2G", &first).low,
                     2 * MEMCTX_GIB);
    assert_int_equal(parse_right("memctx --low 0x80000000", &first).low,
                     2 * MEMCTX_GIB);
    assert_int_equal(parse_right("memctx --low 512m", &first).low,
                     512 * MEMCTX_MIB);
}

static void
test_seconds_have_fractions(void **state)
{
    (void)state;
    int first;
    assert_int_equal(parse_right("memctx --timeout 0.25", &first).timeout_ms,
                     250);
    assert_int_equal(parse_right("memctx --timeout 0", &first).timeout_ms, 0);
    assert_int_equal(parse_right("memctx", &first).timeout_ms, -1);
}

static void
test_unknown_option(void **state)
{
    (void)state;
    assert_refused("memctx --jsn", "unknown option '--jsn'");
    assert_refused("memctx -x", "unknown option");
}

static void
test_missing_argument(void **state)
{
    (void)state;
    assert_refused("memctx --low", "wants an argument");
    assert_refused("memctx -c", "wants an argument");
}

static void
test_size_that_is_none(void **state)
{
    (void)state;
    assert_refused("memctx --low 2X", "wants a size");
    assert_refused("memctx --low -1", "wants a size");
    assert_refused("memctx --low 0", "wants a size");
    assert_refused("memctx --low 99999999999999999999", "wants a size");
}

static void
test_seconds_that_are_none(void **state)
{
    (void)state;
    assert_refused("memctx --timeout soon", "wants seconds");
    assert_refused("memctx --timeout -1", "wants seconds");
    assert_refused("memctx --timeout nan", "wants seconds");
    assert_refused("memctx --timeout inf", "wants seconds");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stand_before_and_behind_words),
        cmocka_unit_test(test_value_after_an_equals_sign),
        cmocka_unit_test(test_sizes_have_suffixes),
        cmocka_unit_test(test_seconds_have_fractions),
        cmocka_unit_test(test_unknown_option),
        cmocka_unit_test(test_missing_argument),
        cmocka_unit_test(test_size_that_is_none),
        cmocka_unit_test(test_seconds_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
