/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The rules of access: what each grants, and which are refused. */
#include "unit.h"

#include <unistd.h>

#include "config/access.h"

static const struct peer root = {.uid = 0};
static const struct peer alice = {.uid = 4001, .gid = 4001};

static bool
may(const char *rule, const struct peer *peer, enum access_right right,
    const char *name)
{
    struct access access = {.n_rules = 0};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(access_add(&access, rule, &err), &err);
    assert_int_equal(access.n_rules, 1);
    return access_may(&access, peer, right, name);
}

static void
refuse(const char *rule, const char *words)
{
    struct access access = {.n_rules = 0};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(access_add(&access, rule, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(access.n_rules, 0);
}

static void
test_without_rules_ours_may_all_but_write(void **state)
{
    (void)state;
    const struct access none = {.n_rules = 0};
    const struct peer own = {.uid = geteuid()};
    for (unsigned i = 0; i < ACCESS_RIGHTS; i++) {
        enum access_right right = (enum access_right)i;
        assert_int_equal(access_may(&none, &root, right, "x"),
                         right != ACCESS_WRITE);
        assert_int_equal(access_may(&none, &own, right, "x"),
                         right != ACCESS_WRITE);
        assert_false(access_may(&none, &alice, right, "x"));
        assert_false(access_may_some(&none, &alice, right));
    }
}

static void
test_user_by_number_and_by_name(void **state)
{
    (void)state;
    assert_true(may("user:4001 list *", &alice, ACCESS_LIST, "x"));
    assert_false(may("user:4002 list *", &alice, ACCESS_LIST, "x"));
    const struct peer daemon = {.uid = 1, .gid = 1};
    assert_true(may("user:daemon list *", &daemon, ACCESS_LIST, "x"));
    assert_true(may("group:daemon list *", &daemon, ACCESS_LIST, "x"));
    assert_false(may("user:daemon list *", &alice, ACCESS_LIST, "x"));
}

static void
test_group_primary_or_supplementary(void **state)
{
    (void)state;
    gid_t groups[] = {7, 4711};
    const struct peer member = {
        .uid = 4001, .gid = 9, .groups = groups, .n_groups = 2};
    assert_true(may("group:4711 open *", &member, ACCESS_OPEN, "x"));
    assert_true(may("group:9 open *", &member, ACCESS_OPEN, "x"));
    assert_false(may("group:4001 open *", &member, ACCESS_OPEN, "x"));
    /* A user's number is no group's. */
    assert_false(may("user:4711 open *", &member, ACCESS_OPEN, "x"));
}

static void
test_all_hands_nothing_in_and_writes_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ACCESS_RIGHTS; i++)
        assert_int_equal(
            may("user:4001 all *", &alice, (enum access_right)i, "x"),
            i != ACCESS_ATTACH && i != ACCESS_WRITE);
}

static void
test_patterns(void **state)
{
    (void)state;
    assert_true(may("user:4001 show web-*", &alice, ACCESS_SHOW, "web-1"));
    assert_false(may("user:4001 show web-*", &alice, ACCESS_SHOW, "xweb-1"));
    assert_false(may("user:4001 show web-?", &alice, ACCESS_SHOW, "web-11"));
    assert_true(may("user:4001 show [ab]1", &alice, ACCESS_SHOW, "b1"));
    assert_true(
        may("user:4001 show my web 1", &alice, ACCESS_SHOW, "my web 1"));
    assert_false(may("user:4001 show web", &alice, ACCESS_SHOW, "web-1"));
    assert_true(
        may("\t user:4001   show,open\t web", &alice, ACCESS_OPEN, "web"));
}

static void
test_write_is_for_one_name(void **state)
{
    (void)state;
    assert_true(may("user:0 write web1", &root, ACCESS_WRITE, "web1"));
    assert_false(may("user:0 write web1", &root, ACCESS_WRITE, "web2"));
    assert_false(may("user:0 write web1", &alice, ACCESS_WRITE, "web1"));
    assert_false(may("user:0 all web1", &root, ACCESS_WRITE, "web1"));
    refuse("user:0 write *", "for one domain by its name");
    refuse("user:0 list,write web?", "for one domain by its name");
    refuse("user:0 write web[1]", "for one domain by its name");
    refuse("user:0 all,write w\\eb", "for one domain by its name");
}

static void
test_rules_that_are_none(void **state)
{
    (void)state;
    refuse("", "begins with user:NAME");
    refuse("alice list *", "begins with user:NAME");
    refuse("users:alice list *", "begins with user:NAME");
    refuse("user: list *", "begins with user:NAME");
    refuse("user:no-such-user list *", "no user 'no-such-user'");
    refuse("group:no-such-group list *", "no group 'no-such-group'");
    refuse("user:4294967295 list *", "no user");
    refuse("user:4001", "'' is no operation");
    refuse("user:4001 list", "ends with the domains");
    refuse("user:4001 list,, *", "'' is no operation");
    refuse("user:4001 List *", "'List' is no operation");
    refuse("user:4001 hello *", "'hello' is no operation");
    char rule[400] = "user:4001 list ";
    memset(rule + strlen(rule), 'x', ACCESS_DOMAINS_MAX);
    refuse(rule, "up to 159 bytes");
}

static void
test_only_so_many_rules(void **state)
{
    (void)state;
    struct access access = {.n_rules = 0};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (unsigned i = 0; i < ACCESS_RULES_MAX; i++)
        assert_done(access_add(&access, "user:4001 list *", &err), &err);
    assert_int_equal(access_add(&access, "user:4001 list *", &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "more than 64 rules");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_rules_ours_may_all_but_write),
        cmocka_unit_test(test_user_by_number_and_by_name),
        cmocka_unit_test(test_group_primary_or_supplementary),
        cmocka_unit_test(test_all_hands_nothing_in_and_writes_nothing),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_write_is_for_one_name),
        cmocka_unit_test(test_rules_that_are_none),
        cmocka_unit_test(test_only_so_many_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
