/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Rows of domains, whatever their names are. */
#include "unit.h"

#include "memctx/domainline.h"
#include "text/jsonguard.h"

static json_object *
domain(const char *name, const char *state)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "name", json_object_new_string(name));
    json_object_object_add(object, "id", json_object_new_int(7));
    json_object_object_add(object, "state", json_object_new_string(state));
    return object;
}

static void
assert_row(json_object *object, int name_columns, const char *wanted)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    domainline_add(&text, object, name_columns);
    assert_string_equal(text.bytes, wanted);
    memctx_text_deinit(&text);
    json_object_put(object);
}

static void
test_row_has_its_columns(void **state)
{
    (void)state;
    json_object *silent = domain("web1", "silent");
    json_object_object_add(silent, "still", json_object_new_int(61));
    json_object_object_add(silent, "reason", json_object_new_string("it fell"));
    assert_row(silent, 8,
               " 7     web1     silent       -    still for 61 s: it fell\n");
}

/* In columns of a terminal, not in bytes. */
static void
test_letters_of_other_languages_are_as_wide_as_others(void **state)
{
    (void)state;
    assert_row(domain("b\xc3\xbcro", "ready"), 6,
               " 7     b\xc3\xbcro   ready        -   \n");
}

static void
test_longer_name_moves_the_rest(void **state)
{
    (void)state;
    assert_row(domain("0123456789", "ready"), 6,
               " 7     0123456789 ready        -   \n");
}

/* A terminal would obey them. */
static void
test_control_characters_are_quoted(void **state)
{
    (void)state;
    assert_row(domain("a\033[2J", "ready"), 8,
               " 7     a\\x1b[2J ready        -   \n");
    assert_row(domain("a\xc2\x9b", "ready"), 8,
               " 7     a\\xc2\\x9b ready        -   \n");
}

static json_object *
three_domains(void)
{
    json_object *domains = json_object_new_array();
    json_object_array_add(domains, domain("a", "ready"));
    json_object_array_add(domains, domain("twenty-one-characters", "silent"));
    json_object_array_add(domains, domain("c", "ready"));
    return domains;
}

static void
test_summary_counts_by_state(void **state)
{
    (void)state;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_json) json_object *domains = three_domains();
    domainline_add_summary(&text, domains, 3);
    domainline_add_summary(&text, domains, 12);
    assert_string_equal(text.bytes, "3 domains: 2 ready, 1 silent\n"
                                    "3 of 12 domains: 2 ready, 1 silent\n");
    memctx_text_deinit(&text);
}

static void
test_column_is_as_wide_as_the_longest_name(void **state)
{
    (void)state;
    MEMCTX_CLEANUP(memctx_cleanup_json) json_object *domains = three_domains();
    assert_int_equal(domainline_name_columns(domains), 21);
    /* One that is too long does not push all others aside. */
    char name[100];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    json_object_array_add(domains, domain(name, "ready"));
    assert_int_equal(domainline_name_columns(domains), 21);
}

static void
test_line_is_cut_between_characters(void **state)
{
    (void)state;
    assert_int_equal(domainline_cut("b\xc3\xbcro", 5, 2), 3);
    assert_int_equal(domainline_cut("b\xc3\xbcro", 5, 80), 5);
    assert_int_equal(domainline_cut("", 0, 80), 0);
    assert_int_equal(domainline_cut("abc", 3, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_has_its_columns),
        cmocka_unit_test(test_letters_of_other_languages_are_as_wide_as_others),
        cmocka_unit_test(test_longer_name_moves_the_rest),
        cmocka_unit_test(test_control_characters_are_quoted),
        cmocka_unit_test(test_summary_counts_by_state),
        cmocka_unit_test(test_column_is_as_wide_as_the_longest_name),
        cmocka_unit_test(test_line_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
