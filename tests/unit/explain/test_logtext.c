/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lines of dmesg: what stands in front of them, how many a record has, and what
 * a terminal gets to see of bytes that a guest chose. */
#include "unit.h"

#include "logimg.h"
#include "explain/logtext.h"

static void
assert_line(const struct memctx_printk_record *record,
            enum memctx_logtext format, const char *wanted, size_t len_bytes)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    memctx_logtext_add(&text, record, format);
    assert_int_equal(text.len_bytes, len_bytes);
    assert_memory_equal(text.bytes, wanted, len_bytes);
    memctx_text_deinit(&text);
}

#define ASSERT_LINE(record, format, wanted) \
    assert_line(record, format, wanted, sizeof(wanted) - 1)

static void
one_line(void **state)
{
    (void)state;
    struct memctx_printk_record record = logimg_record("text", 4);
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_PLAIN, "[   12.345678] text\n");
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_RAW, "<28>[   12.345678] text\n");
    record.ts_nsec = 0;
    record.facility = 0;
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_RAW_QUOTED, "<4>[    0.000000] text\n");
    record.ts_nsec = UINT64_MAX;
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_PLAIN, "[18446744073.709551] text\n");
}

static void
lines_of_one_record(void **state)
{
    (void)state;
    struct memctx_printk_record record = logimg_record("a\n\nb\n", 5);
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_PLAIN,
                "[   12.345678] a\n[   12.345678] \n[   12.345678] b\n"
                "[   12.345678] \n");
    record.len_bytes = 0;
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_PLAIN, "[   12.345678] \n");
}

static void
bytes_that_are_no_text(void **state)
{
    (void)state;
    struct memctx_printk_record record = logimg_record("\x1b[2J\0\xff\t", 7);
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_PLAIN,
                "[   12.345678] \\x1b[2J\\x00\\xff\t\n");
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_RAW_QUOTED,
                "<28>[   12.345678] \\x1b[2J\\x00\\xff\t\n");
    ASSERT_LINE(&record, MEMCTX_LOGTEXT_RAW,
                "<28>[   12.345678] \x1b[2J\0\xff\t\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line),
        cmocka_unit_test(lines_of_one_record),
        cmocka_unit_test(bytes_that_are_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
