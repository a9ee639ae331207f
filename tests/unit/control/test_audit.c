/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Who asked for a guest's RAM: a line for each, and few for many. */
#include "unit.h"

#include "control/audit.h"
#include "logpipe.h"

struct fixture {
    struct log log;
    struct logpipe pipe;
    struct audit *audit;
    char text[16384];
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->log = (struct log){.level = LOG_LEVEL_ERROR};
    f->audit = audit_create(&f->log);
    assert_non_null(f->audit);
    logpipe_init(&f->pipe);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    audit_destroy(f->audit);
    logpipe_deinit(&f->pipe);
    free(f);
    return 0;
}

static void
ask(struct fixture *f, uid_t uid, pid_t pid, const char *domain,
    const char *refused)
{
    const struct peer peer = {.uid = uid, .pid = pid, .program = "memctx"};
    const struct audit_request request = {
        .peer = &peer,
        .operation = "read",
        .domain = domain,
        .uuid = refused == NULL ? "UUID" : NULL,
        .refused = refused,
    };
    audit_note(f->audit, &request);
}

static const char *
take_text(struct fixture *f)
{
    ssize_t n = read(f->pipe.fds[0], f->text, sizeof(f->text) - 1);
    f->text[n > 0 ? n : 0] = '\0';
    return f->text;
}

static unsigned
count_lines(struct fixture *f)
{
    unsigned lines = 0;
    for (const char *c = take_text(f); *c != '\0'; c++)
        lines += *c == '\n';
    return lines;
}

static void
test_each_is_one_line(void **state)
{
    struct fixture *f = *state;
    ask(f, 1000, 7, "web1", NULL);
    ask(f, 1001, 8, "a\" uid=0 b=\"", "not yours");
    assert_string_equal(
        take_text(f),
        "memctxd: audit: access: op=read uid=1000 pid=7 program=\"memctx\" "
        "domain=\"web1\" uuid=UUID outcome=\"granted\"\n"
        "memctxd: audit: access: op=read uid=1001 pid=8 program=\"memctx\" "
        "domain=\"a\\\" uid=0 b=\\\"\" outcome=\"refused\" "
        "reason=\"not yours\"\n");
    audit_flush(f->audit);
    assert_int_equal(count_lines(f), 0);
}

static void
test_flood_is_one_line_a_period(void **state)
{
    struct fixture *f = *state;
    for (unsigned period = 0; period < 3; period++) {
        for (unsigned i = 0; i < 1000; i++)
            ask(f, 1000, 7, "web1", NULL);
        assert_int_equal(count_lines(f), period == 0 ? 1 : 0);
        audit_flush(f->audit);
        assert_non_null(strstr(take_text(f), period == 0 ? "more=999 seconds=10"
                                                         : "more=1000 "));
    }
    audit_flush(f->audit);
    ask(f, 1000, 7, "web1", NULL);
    assert_non_null(strstr(take_text(f), "uuid=UUID"));
}

static void
test_refusal_is_not_counted_as_granted(void **state)
{
    struct fixture *f = *state;
    ask(f, 1000, 7, "web1", NULL);
    ask(f, 1000, 7, "web1", "stale");
    assert_int_equal(count_lines(f), 2);
}

/* Processes, names and users in any number. */
static void
test_what_a_client_varies_does_not_fill_the_log(void **state)
{
    struct fixture *f = *state;
    char name[32];
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "no-%u", i);
        ask(f, 1000, (pid_t)i, name, "no such domain");
    }
    assert_int_equal(count_lines(f), 15);
    ask(f, 1001, 1, "web1", NULL);
    assert_int_equal(count_lines(f), 1);
    audit_flush(f->audit);
    assert_non_null(strstr(take_text(f), "uid=1000 more=9985 seconds=10: "));
    for (unsigned i = 0; i < 1000; i++)
        ask(f, 2000 + i, 1, "web1", NULL);
    assert_true(count_lines(f) <= 64);
    audit_flush(f->audit);
    assert_non_null(strstr(take_text(f), "of too many users"));
}

static void
test_counts_are_told_at_the_end(void **state)
{
    struct fixture *f = *state;
    ask(f, 1000, 7, "web1", NULL);
    ask(f, 1000, 7, "web1", NULL);
    audit_destroy(f->audit);
    f->audit = NULL;
    assert_non_null(strstr(take_text(f), "more=1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_is_one_line),
        TEST(test_flood_is_one_line_a_period),
        TEST(test_refusal_is_not_counted_as_granted),
        TEST(test_what_a_client_varies_does_not_fill_the_log),
        TEST(test_counts_are_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
