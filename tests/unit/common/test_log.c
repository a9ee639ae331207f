/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lines of the log: what comes from outside stays inside its quotes. */
#include "unit.h"

#include "common/log.h"
#include "common/trouble.h"
#include "logpipe.h"
#include "testclock.h"

static void
test_quoted_text_cannot_end_its_field(void **state)
{
    (void)state;
    assert_string_equal(LOG_QUOTE("web1"), "\"web1\"");
    assert_string_equal(LOG_QUOTE(NULL), "\"\"");
    assert_string_equal(LOG_QUOTE("x boot=1 waiting->ready on found"),
                        "\"x boot=1 waiting->ready on found\"");
    assert_string_equal(LOG_QUOTE("a\" uid=0 b=\"c"),
                        "\"a\\\" uid=0 b=\\\"c\"");
    assert_string_equal(LOG_QUOTE("a\\"), "\"a\\\\\"");
    assert_string_equal(LOG_QUOTE("a\nb\033[2J\xc3\xa4\x7f"),
                        "\"a\\x0ab\\x1b[2J\\xc3\\xa4\\x7f\"");
}

/* A cut never leaves half an escape, nor an open quote. */
static void
test_long_text_is_cut_whole(void **state)
{
    (void)state;
    char text[1000];
    for (size_t shift = 0; shift < 8; shift++) {
        memset(text, '"', sizeof(text));
        memset(text, 'a', shift);
        text[sizeof(text) - 1] = '\0';
        const char *quoted = LOG_QUOTE(text);
        size_t len = strlen(quoted);
        assert_true(len < sizeof(struct log_quoted));
        assert_string_equal(quoted + len - 4, "\"...");
        unsigned backslashes = 0;
        while (quoted[len - 5 - backslashes] == '\\')
            backslashes++;
        assert_int_equal(backslashes % 2, 0);
    }
}

static void
test_level_can_change(void **state)
{
    (void)state;
    struct logpipe pipe;
    struct log log = {.level = LOG_LEVEL_WARNING};
    logpipe_init(&pipe);
    log_line(&log, LOG_LEVEL_INFO, "one");
    log.level = LOG_LEVEL_INFO;
    log_line(&log, LOG_LEVEL_INFO, "two");
    unsigned lines = logpipe_count(&pipe, "memctxd: info: two");
    logpipe_deinit(&pipe);
    assert_int_equal(lines, 1);
}

/* 200 domains, each of which tries five times a second for ten minutes. */
static void
test_trouble_of_many_is_few_lines(void **state)
{
    (void)state;
    struct logpipe pipe;
    const struct log log = {.level = LOG_LEVEL_INFO};
    struct trouble t;
    unsigned lines = 0;
    trouble_init(&t, LOG_KIND_DIRECTORY, 1);
    logpipe_init(&pipe);
    testclock_stop();
    for (unsigned turn = 0; turn < 3000; turn++) {
        for (unsigned domain = 0; domain < 200; domain++)
            trouble_strike(&t, &log, turn == 0, "uuid=%u disk full", domain);
        testclock_add_us(200000);
        lines += logpipe_count(&pipe, "disk full");
    }
    for (unsigned domain = 0; domain < 200; domain++)
        trouble_end(&t, &log, "all is well");
    unsigned over = logpipe_count(&pipe, "info: all is well");
    testclock_start();
    logpipe_deinit(&pipe);
    trouble_deinit(&t);
    assert_int_equal(lines, 4); /* at 0, 10, 50 and 210 s */
    assert_int_equal(over, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoted_text_cannot_end_its_field),
        cmocka_unit_test(test_long_text_is_cut_whole),
        cmocka_unit_test(test_level_can_change),
        cmocka_unit_test(test_trouble_of_many_is_few_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
