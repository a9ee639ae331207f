/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Command lines that users type, right and wrong. */
#include "unit.h"

#include "base/bytes.h"
#include "common/options.h"

#define ARGS_MAX 12

struct first {
    const char *uri;
    bool json;
};

struct second {
    uint64_t low;
    int64_t timeout_ms;
    bool raw;
    const char *ram;
};

static const struct option_row first_table[] = {
    {"connect", 'c', OPTION_TEXT, "URI", offsetof(struct first, uri), ""},
    {"json", 'j', OPTION_FLAG, NULL, offsetof(struct first, json), ""},
    OPTIONS_END,
};

static const struct option_row second_table[] = {
    {"low", 'l', OPTION_SIZE, "SIZE", offsetof(struct second, low), ""},
    {"timeout", 0, OPTION_SECONDS, "S", offsetof(struct second, timeout_ms),
     ""},
    {"raw", 0, OPTION_FLAG, NULL, offsetof(struct second, raw), ""},
    {"ram", 0, OPTION_TEXT, "FILE", offsetof(struct second, ram), ""},
    OPTIONS_END,
};

/* A command line as main() gets it, and what became of it. */
struct line {
    char text[256]; /* argv points into it */
    char *argv[ARGS_MAX + 1];
    int argc;
    struct first first;
    struct second second;
    int word;
};

/* Separate the words of `text` at blanks. */
static void
split(const char *text, struct line *line)
{
    memset(line, 0, sizeof(*line));
    snprintf(line->text, sizeof(line->text), "%s", text);
    char *rest = line->text;
    while (line->argc < ARGS_MAX &&
           (line->argv[line->argc] = strsep(&rest, " ")) != NULL)
        line->argc++;
}

static int
parse(const char *text, struct line *line, struct memctx_error *err)
{
    const struct option_set sets[] = {
        {first_table, &line->first},
        {second_table, &line->second},
    };
    split(text, line);
    /* Values that are not given must be set, too. */
    memset(&line->first, 0x5a, sizeof(line->first));
    memset(&line->second, 0x5a, sizeof(line->second));
    return options_parse(sets, MEMCTX_ARRAY_LEN(sets), line->argc, line->argv,
                         &line->word, err);
}

static void
parse_right(const char *text, struct line *line)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(parse(text, line, &err), &err);
}

static void
assert_refused(const char *text, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    assert_int_equal(parse(text, &line, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
}

static void
test_options_stand_before_and_behind_words(void **state)
{
    (void)state;
    struct line line;
    parse_right("memctx -c test:///x show --json web1", &line);
    assert_string_equal(line.first.uri, "test:///x");
    assert_true(line.first.json);
    assert_int_equal(line.word, 4);
    assert_string_equal(line.argv[4], "show");
    assert_string_equal(line.argv[5], "web1");
}

static void
test_each_option_reaches_its_set(void **state)
{
    (void)state;
    struct line line;
    parse_right("memctx -l 1M --json --ram x -cy --timeout 1", &line);
    assert_string_equal(line.first.uri, "y");
    assert_true(line.first.json);
    assert_int_equal(line.second.low, MEMCTX_MIB);
    assert_int_equal(line.second.timeout_ms, 1000);
    assert_string_equal(line.second.ram, "x");
    assert_false(line.second.raw);
}

static void
test_options_that_are_not_given(void **state)
{
    (void)state;
    struct line line;
    parse_right("memctx", &line);
    assert_null(line.first.uri);
    assert_false(line.first.json);
    assert_int_equal(line.second.low, 0);
    assert_int_equal(line.second.timeout_ms, -1);
    assert_int_equal(line.word, 1);
}

static void
test_two_dashes_end_options(void **state)
{
    (void)state;
    struct line line;
    parse_right("memctx exec -- ls --raw", &line);
    assert_false(line.second.raw);
    assert_int_equal(line.argc - line.word, 3);
    assert_string_equal(line.argv[line.word + 2], "--raw");
}

static void
test_value_after_an_equals_sign(void **state)
{
    (void)state;
    struct line line;
    parse_right("memctx --connect=a:///b", &line);
    assert_string_equal(line.first.uri, "a:///b");
}

static void
test_names_may_be_cut_short(void **state)
{
    (void)state;
    struct line line;
    parse_right("memctx --js --conn x", &line);
    assert_true(line.first.json);
    assert_string_equal(line.first.uri, "x");
    assert_refused("memctx --ra", "ambiguous option '--ra'");
}

static void
test_sizes_have_suffixes(void **state)
{
    (void)state;
    struct line line;
    parse_right("memctx --low 2G", &line);
    assert_int_equal(line.second.low, 2 * MEMCTX_GIB);
    parse_right("memctx --low 0x80000000", &line);
    assert_int_equal(line.second.low, 2 * MEMCTX_GIB);
    parse_right("memctx --low 512m", &line);
    assert_int_equal(line.second.low, 512 * MEMCTX_MIB);
}

static void
test_seconds_have_fractions(void **state)
{
    (void)state;
    struct line line;
    parse_right("memctx --timeout 0.25", &line);
    assert_int_equal(line.second.timeout_ms, 250);
    parse_right("memctx --timeout 0", &line);
    assert_int_equal(line.second.timeout_ms, 0);
}

static void
test_unknown_option(void **state)
{
    (void)state;
    assert_refused("memctx --jsn", "unknown option '--jsn'");
    assert_refused("memctx --jsn=1", "unknown option '--jsn=1'");
    assert_refused("memctx -x", "unknown option '-x'");
}

/* getopt has not left the word yet that holds both letters. */
static void
test_unknown_letter_among_others(void **state)
{
    (void)state;
    assert_refused("memctx -jxj", "unknown option '-x'");
}

static void
test_missing_argument(void **state)
{
    (void)state;
    assert_refused("memctx --low", "option '--low' wants an argument");
    assert_refused("memctx -c", "option '-c' wants an argument");
}

static void
test_argument_that_is_not_wanted(void **state)
{
    (void)state;
    assert_refused("memctx --raw=1", "option '--raw' takes no argument");
}

static void
test_size_that_is_none(void **state)
{
    (void)state;
    assert_refused("memctx --low 2X", "--low wants a size");
    assert_refused("memctx --low -1", "--low wants a size");
    assert_refused("memctx --low 0", "--low wants a size");
    assert_refused("memctx --low 99999999999999999999", "wants a size");
}

static void
test_seconds_that_are_none(void **state)
{
    (void)state;
    assert_refused("memctx --timeout soon", "--timeout wants seconds");
    assert_refused("memctx --timeout -1", "wants seconds");
    assert_refused("memctx --timeout nan", "wants seconds");
    assert_refused("memctx --timeout inf", "wants seconds");
}

/* Which word is the first that is no option and no argument of one? */
static int
find_word(const char *text, struct line *line, struct memctx_error *err)
{
    const struct option_set sets[] = {
        {first_table, NULL},
        {second_table, NULL},
        {first_table, NULL}, /* sets may share options */
    };
    split(text, line);
    line->word = -1;
    return options_find_word(sets, MEMCTX_ARRAY_LEN(sets), line->argc,
                             line->argv, &line->word, err);
}

static void
assert_word(const char *text, int word)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    assert_done(find_word(text, &line, &err), &err);
    assert_int_equal(line.word, word);
}

static void
test_first_word_behind_options(void **state)
{
    (void)state;
    assert_word("memctx list", 1);
    assert_word("memctx --raw --json list --low", 3);
    assert_word("memctx -c list --low=2G --ram core core", 6);
    assert_word("memctx -cx -- list", 3);
    assert_word("memctx --js list", 2);
    assert_word("memctx --json", 2);
}

/* Only what stands before the word is looked at. */
static void
test_unknown_option_before_the_first_word(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    assert_word("memctx list --bogus", 1);
    assert_int_equal(find_word("memctx --bogus list", &line, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "unknown option '--bogus'");
    assert_int_equal(line.word, -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stand_before_and_behind_words),
        cmocka_unit_test(test_each_option_reaches_its_set),
        cmocka_unit_test(test_options_that_are_not_given),
        cmocka_unit_test(test_two_dashes_end_options),
        cmocka_unit_test(test_value_after_an_equals_sign),
        cmocka_unit_test(test_names_may_be_cut_short),
        cmocka_unit_test(test_sizes_have_suffixes),
        cmocka_unit_test(test_seconds_have_fractions),
        cmocka_unit_test(test_unknown_option),
        cmocka_unit_test(test_unknown_letter_among_others),
        cmocka_unit_test(test_missing_argument),
        cmocka_unit_test(test_argument_that_is_not_wanted),
        cmocka_unit_test(test_size_that_is_none),
        cmocka_unit_test(test_seconds_that_are_none),
        cmocka_unit_test(test_first_word_behind_options),
        cmocka_unit_test(test_unknown_option_before_the_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
