/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The configuration file: what it may say, and which line is to blame. */
#include "unit.h"

#include <sys/stat.h>

#include <inttypes.h>

#include "config/settings.h"

static void
assert_refused(const char *text, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings s;
    settings_init(&s);
    assert_int_equal(settings_parse(text, "f", &s, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
}

static void
test_every_kind_of_line(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings s;
    settings_init(&s);
    assert_done(settings_parse("# a comment\n\n"
                               "uri = \"qemu:///session\" # trailing\n"
                               "  workers=7\n"
                               "runtime_dir = \"/run/a#b\"\n"
                               "retry_first_ms = 20",
                               "f", &s, &err),
                &err);
    assert_string_equal(s.uri, "qemu:///session");
    assert_string_equal(s.runtime_dir, "/run/a#b");
    assert_int_equal(s.workers, 7);
    assert_int_equal(settings_backoff(&s).first_us, 20000);
}

static void
test_defaults_are_designs(void **state)
{
    (void)state;
    struct settings s;
    settings_init(&s);
    struct memctx_backoff_limits limits = settings_backoff(&s);
    struct memctx_backoff_limits design = MEMCTX_BACKOFF_DEFAULTS;
    assert_memory_equal(&limits, &design, sizeof(design));
}

/* 1: the line is taken; 0: it is refused, since it is no such number. */
static int
takes_number(const struct settings_key *key, uint64_t number)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings s;
    char line[128];
    settings_init(&s);
    /* Nothing else may be what is wrong: the cap is not below the first. */
    s.retry_first_ms = 1;
    s.retry_cap_ms = UINT64_MAX;
    snprintf(line, sizeof(line), "%s = %" PRIu64 "\n", key->name, number);
    if (settings_parse(line, "f", &s, &err) == 0) {
        assert_int_equal(*(uint64_t *)((char *)&s + key->offset), number);
        return 1;
    }
    assert_error(&err, MEMCTX_PERMANENT, "wants a number from");
    return 0;
}

static void
test_numbers_keep_within_their_row(void **state)
{
    (void)state;
    size_t count;
    const struct settings_key *keys = settings_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].type != SETTINGS_NUMBER)
            continue;
        assert_true(takes_number(&keys[i], keys[i].min));
        assert_true(takes_number(&keys[i], keys[i].max));
        assert_false(takes_number(&keys[i], keys[i].max + 1));
        if (keys[i].min > 0)
            assert_false(takes_number(&keys[i], keys[i].min - 1));
    }
}

/* Each default is written as the file would say it. */
static void
test_defaults_can_be_said(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings defaults;
    struct settings said;
    size_t count;
    const struct settings_key *keys = settings_keys(&count);
    settings_init(&defaults);
    memset(&said, 0, sizeof(said));
    said.prober = defaults.prober;
    said.patience = defaults.patience;
    strcpy(said.log_level, "error");
    said.retry_cap_ms = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        char line[128];
        snprintf(line, sizeof(line), "%s = %s", keys[i].name,
                 keys[i].default_value);
        assert_done(settings_parse(line, "f", &said, &err), &err);
    }
    assert_string_equal(said.log_level, "info");
    memcpy(said.log_level, defaults.log_level, sizeof(said.log_level));
    assert_memory_equal(&said, &defaults, sizeof(said));
}

static void
test_unknown_key_names_its_line(void **state)
{
    (void)state;
    assert_refused("workers = 1\nwrokers = 2\n", "f:2: unknown key 'wrokers'");
}

static void
test_line_without_equals_sign(void **state)
{
    (void)state;
    assert_refused("workers 3\n", "f:1: expected key = value");
}

static void
test_number_out_of_bounds(void **state)
{
    (void)state;
    assert_refused("workers = 0\n", "from 1 to 64");
    assert_refused("workers = 65\n", "from 1 to 64");
    assert_refused("workers = many\n", "wants a number");
    assert_refused("workers = -1\n", "wants a number");
    assert_refused("workers = 99999999999999999999999\n", "wants a number");
}

static void
test_text_without_quotes(void **state)
{
    (void)state;
    assert_refused("uri = qemu:///system\n", "in double quotes");
    assert_refused("uri = \"\n", "in double quotes");
}

static void
test_unknown_log_level(void **state)
{
    (void)state;
    assert_refused("log_level = \"loud\"\n", "log_level is 'loud'");
}

static void
test_cap_below_first_delay(void **state)
{
    (void)state;
    assert_refused("retry_first_ms = 100\nretry_cap_ms = 50\n",
                   "retry_cap_ms is below");
}

static bool
is_watched(const struct settings *s, const char *name)
{
    return patterns_admit(&s->domains, name,
                          "11111111-2222-3333-4444-555555555555");
}

static void
test_domains_are_left_out(void **state)
{
    struct settings s;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    (void)state;
    settings_init(&s);
    assert_true(is_watched(&s, "web"));
    assert_done(settings_parse("domains = [ \"!db*\" ]\n", "f", &s, &err),
                &err);
    assert_true(is_watched(&s, "web"));
    assert_false(is_watched(&s, "db1"));
    assert_done(settings_parse("domains = [\n \"web-*\", # these\n"
                               " \"!web-test-*\", \"1111*5555\" ]\n",
                               "f", &s, &err),
                &err);
    assert_true(is_watched(&s, "web-1"));
    assert_false(is_watched(&s, "web-test-1"));
    assert_true(is_watched(&s, "other")); /* by its UUID */
    assert_false(patterns_admit(&s.domains, "other", "2"));
    assert_false(is_watched(&s, "db-by-uuid"));
    assert_refused("domains = [ \"\" ]\n", "f:1: domains wants patterns");
    assert_refused("domains = [ \"!\" ]\n", "domains wants patterns");
    assert_refused("domains = \"web\"\n", "domains wants a list");
    assert_refused("domains = [ \"web\"\n", "list of domains does not end");
}

static void
test_access_is_a_list_over_several_lines(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings s;
    settings_init(&s);
    assert_done(settings_parse("access = [ \"user:1 list a#b\", # one\n"
                               "  # nothing\n\n"
                               "  \"user:2 show web-*\" ,\"user:3 open ]\",\n"
                               "]\n"
                               "workers = 3\n"
                               "access = []\n"
                               "access = [ \"user:4 all *\" ]\n",
                               "f", &s, &err),
                &err);
    assert_int_equal(s.access.n_rules, 4);
    assert_string_equal(s.access.rules[0].domains, "a#b");
    assert_string_equal(s.access.rules[2].domains, "]");
    assert_int_equal(s.access.rules[3].id, 4);
    assert_int_equal(s.workers, 3);
}

static void
test_list_that_is_none(void **state)
{
    (void)state;
    assert_refused("access = \"user:1 list *\"\n", "f:1: access wants a list");
    assert_refused("access = [\n \"user:1 list *\"\n", "does not end with ]");
    assert_refused("access = [\n\n \"user:1 list\" ]\n", "f:3: access rule");
    assert_refused("access = [ \"user:1 list *\" \"user:2 list *\" ]\n",
                   "f:1: access wants a list");
    assert_refused("access = [ \"user:1 list *\n\" ]\n", "double quotes");
    assert_refused("access = [ 5 ]\n", "access wants a list");
    assert_refused("access = [ ] 5\n", "access wants a list");
    assert_refused("access = [ \"user:1 list *\", , ]\n",
                   "access wants a list");
    assert_refused("uri = [ \"x\" ]\n", "in double quotes");
}

static void
test_file_that_is_not_there(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings s;
    assert_int_equal(settings_read("/nowhere/memctxd.conf", &s, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "cannot read /nowhere/memctxd.conf");
}

static void
test_file_that_others_can_write(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings s;
    char path[] = "/tmp/memctx-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "workers = 3\n", 12), 12);
    settings_init(&s);
    assert_int_equal(fchmod(fd, 0664), 0);
    assert_int_equal(settings_read(path, &s, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "mode 0664: its group can write it");
    assert_int_equal(s.workers, 2);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_done(settings_read(path, &s, &err), &err);
    assert_int_equal(s.workers, 3);
    close(fd);
    unlink(path);
}

static void
test_reload_takes_what_may_change(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings now;
    struct settings fresh;
    char fixed[256];
    settings_init(&now);
    settings_init(&fresh);
    settings_reload(&now, &fresh, fixed, sizeof(fixed));
    assert_string_equal(fixed, "");
    assert_done(settings_parse("uri = \"qemu:///session\"\n"
                               "workers = 7\n"
                               "domains = [ \"web-*\" ]\n"
                               "log_level = \"debug\"\n"
                               "retry_cap_ms = 77\n"
                               "revalidate_ms = 7000\n"
                               "hook_timeout_ms = 70\n"
                               "access = [ \"user:7 list *\" ]\n",
                               "f", &fresh, &err),
                &err);
    settings_reload(&now, &fresh, fixed, sizeof(fixed));
    assert_string_equal(fixed, "uri, workers");
    assert_string_equal(now.uri, "");
    assert_int_equal(now.workers, 2);
    assert_false(patterns_admit(&now.domains, "db", "1"));
    assert_string_equal(now.log_level, "debug");
    assert_int_equal(now.retry_cap_ms, 77);
    assert_int_equal(now.revalidate_ms, 7000);
    assert_int_equal(now.hook_timeout_ms, 70);
    assert_int_equal(now.access.n_rules, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_line),
        cmocka_unit_test(test_defaults_are_designs),
        cmocka_unit_test(test_numbers_keep_within_their_row),
        cmocka_unit_test(test_defaults_can_be_said),
        cmocka_unit_test(test_unknown_key_names_its_line),
        cmocka_unit_test(test_line_without_equals_sign),
        cmocka_unit_test(test_number_out_of_bounds),
        cmocka_unit_test(test_text_without_quotes),
        cmocka_unit_test(test_unknown_log_level),
        cmocka_unit_test(test_cap_below_first_delay),
        cmocka_unit_test(test_domains_are_left_out),
        cmocka_unit_test(test_access_is_a_list_over_several_lines),
        cmocka_unit_test(test_list_that_is_none),
        cmocka_unit_test(test_file_that_is_not_there),
        cmocka_unit_test(test_file_that_others_can_write),
        cmocka_unit_test(test_reload_takes_what_may_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
