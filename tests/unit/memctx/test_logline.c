/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Records as JSON, whatever bytes a guest chose, and levels by their names. */
#include "unit.h"

#include "logimg.h"
#include "base/bytes.h"
#include "memctx/logline.h"

static void
json_of_a_record(void **state)
{
    (void)state;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    struct memctx_printk_record record = logimg_record("a\"\x1b\xff\n", 5);
    logline_add_json(&text, &record, 0);
    assert_string_equal(text.bytes,
                        "{\"seq\":7,\"time_ns\":12345678901,"
                        "\"facility\":\"daemon\",\"level\":\"warn\","
                        "\"text\":\"a\\\"\\u001b\xef\xbf\xbd\\n\"}");
    memctx_text_deinit(&text);
    record = logimg_record("", 0);
    record.facility = 31;
    logline_add_json(&text, &record, 5);
    assert_string_equal(text.bytes,
                        "{\"seq\":7,\"time_ns\":12345678901,\"facility\":31,"
                        "\"level\":\"warn\",\"text\":\"\",\"lost\":5}");
    memctx_text_deinit(&text);
}

static void
levels(void **state)
{
    (void)state;
    static const struct {
        const char *names;
        unsigned set;
    } rows[] = {{"emerg", 1},   {"debug", 0x80},       {"err,warn", 0x18},
                {"err+", 0x0f}, {"emerg+,info", 0x41}, {"debug+", 0xff}};
    static const char *const wrong[] = {"",     "errs", "er",       "err,",
                                        ",err", "+",    "err,bad+", "err++"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        unsigned set = 0;
        assert_int_equal(logline_parse_levels(rows[i].names, &set, NULL), 0);
        assert_int_equal(set, rows[i].set);
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(wrong); i++) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        unsigned set = 77;
        assert_int_equal(logline_parse_levels(wrong[i], &set, &err), -1);
        assert_int_equal(err.kind, MEMCTX_PERMANENT);
        assert_int_equal(set, 77);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_of_a_record),
        cmocka_unit_test(levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
