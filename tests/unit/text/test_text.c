/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Texts that grow, and quoting: whatever a string holds, it is one word to
 * whom it is quoted for. The shell and Python are asked themselves. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "text/text.h"

static const char *const hostile[] = {
    "6.1.0-13-amd64",
    "",
    "'; touch /tmp/owned; '",
    "$(touch /tmp/owned)`id`",
    "a\\'b\"c\\",
    "'''\"\"\"",
    "line\nline\r\t",
    "\x7f\x80\xff\x1b[31m",
    "%s%n",
    "*?[a-z]~{a,b}!x",
};

/* What `program` prints when it is given the text on standard input. */
static char *
output_of(const char *program, const char *text)
{
    char path[] = "/tmp/memctx-text.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    char command[128];
    snprintf(command, sizeof(command), "%s %s", program, path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char *ret = calloc(1, 4096);
    assert_non_null(ret);
    size_t n = fread(ret, 1, 4095, pipe);
    assert_true(n < 4095);
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
    return ret;
}

static void
a_shell_takes_it_as_one_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(hostile); i++) {
        struct memctx_text text = MEMCTX_TEXT_INIT;
        memctx_text_add(&text, "set -- ");
        memctx_text_add_shell(&text, hostile[i]);
        memctx_text_add(&text, "\nprintf '%%s|%%s' $# \"$1\"\n");
        MEMCTX_CLEANUP(memctx_cleanup_free) char *script = NULL;
        assert_int_equal(memctx_text_take(&text, &script, NULL), 0);
        MEMCTX_CLEANUP(memctx_cleanup_free)
        char *said = output_of("sh", script);
        assert_memory_equal(said, "1|", 2);
        assert_string_equal(said + 2, hostile[i]);
    }
}

static void
python_takes_it_as_these_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(hostile); i++) {
        struct memctx_text text = MEMCTX_TEXT_INIT;
        memctx_text_add(&text, "import sys\nsys.stdout.buffer.write(");
        memctx_text_add_python(&text, hostile[i], strlen(hostile[i]));
        memctx_text_add(&text, ")\n");
        MEMCTX_CLEANUP(memctx_cleanup_free) char *script = NULL;
        assert_int_equal(memctx_text_take(&text, &script, NULL), 0);
        for (const char *c = script; *c != '\0'; c++)
            assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
        MEMCTX_CLEANUP(memctx_cleanup_free)
        char *said = output_of("python3", script);
        assert_string_equal(said, hostile[i]);
    }
}

static void
a_zero_byte_is_kept_for_python(void **state)
{
    (void)state;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    memctx_text_add_python(&text, "a\0b", 3);
    assert_string_equal(text.bytes, "b'a\\x00b'");
    memctx_text_deinit(&text);
}

static void
a_url_holds_only_what_needs_no_quoting(void **state)
{
    (void)state;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    memctx_text_add_url(&text, "/ram files/a#b?c%\xc3\xa4'~-._9Z");
    assert_string_equal(text.bytes, "/ram%20files/a%23b%3Fc%25%C3%A4%27~-._9Z");
    memctx_text_deinit(&text);
}

static void
it_grows_and_may_be_empty(void **state)
{
    (void)state;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    char *taken;
    assert_int_equal(memctx_text_take(&text, &taken, NULL), 0);
    assert_string_equal(taken, "");
    free(taken);
    for (int i = 0; i < 10000; i++)
        memctx_text_add(&text, "%d,", i % 10);
    assert_int_equal(text.len_bytes, 20000);
    assert_int_equal(memctx_text_take(&text, &taken, NULL), 0);
    assert_int_equal(strlen(taken), 20000);
    assert_memory_equal(taken + 19990, "5,6,7,8,9,", 10);
    free(taken);
    assert_null(text.bytes);
}

static void
memory_that_is_out_is_told_once(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_text text = MEMCTX_TEXT_INIT;
    char *taken = NULL;
    memctx_text_add(&text, "something");
    text.failed = true;
    memctx_text_add(&text, "more");
    assert_int_equal(memctx_text_take(&text, &taken, &err), -1);
    assert_error(&err, MEMCTX_EXHAUSTED, "memory");
    assert_null(taken);
    assert_null(text.bytes);
}

/* Both ways for a terminal and for UTF-8: bytes, and what becomes of them. */
static void
bytes_that_a_guest_chose(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len_bytes;
        const char *terminal;
        const char *utf8;
    } rows[] = {
        {"", 0, "", ""},
        {"plain\ttext \\x", 13, "plain\ttext \\x", "plain\ttext \\x"},
        {"a\x1b[31mb", 7, "a\\x1b[31mb", "a\x1b[31mb"},
        {"a\0b", 3, "a\\x00b",
         "a\xef\xbf\xbd"
         "b"},
        {"a\nb\x7f", 4, "a\\x0ab\\x7f", "a\nb\x7f"},
        {"\xc3\xa4", 2, "\\xc3\\xa4", "\xc3\xa4"},
        {"\xe2\x82\xac", 3, "\\xe2\\x82\\xac", "\xe2\x82\xac"},
        {"\xf0\x9f\x98\x80", 4, "\\xf0\\x9f\\x98\\x80", "\xf0\x9f\x98\x80"},
        /* cut off, overlong, a surrogate, beyond the last, no beginning */
        {"\xe2\x82", 2, "\\xe2\\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc0\xaf", 2, "\\xc0\\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90", 2, "\\xf4\\x90", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\x80", 1, "\\x80", "\xef\xbf\xbd"},
        {"\xe1\x80x", 3, "\\xe1\\x80x", "\xef\xbf\xbd\xef\xbf\xbdx"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct memctx_text terminal = MEMCTX_TEXT_INIT;
        struct memctx_text utf8 = MEMCTX_TEXT_INIT;
        struct memctx_text raw = MEMCTX_TEXT_INIT;
        memctx_text_add_terminal(&terminal, rows[i].bytes, rows[i].len_bytes);
        memctx_text_add_utf8(&utf8, rows[i].bytes, rows[i].len_bytes);
        memctx_text_add_bytes(&raw, rows[i].bytes, rows[i].len_bytes);
        assert_string_equal(terminal.bytes, rows[i].terminal);
        assert_string_equal(utf8.len_bytes > 0 ? utf8.bytes : "", rows[i].utf8);
        assert_int_equal(raw.len_bytes, rows[i].len_bytes);
        assert_memory_equal(raw.bytes, rows[i].bytes, rows[i].len_bytes);
        memctx_text_deinit(&terminal);
        memctx_text_deinit(&utf8);
        memctx_text_deinit(&raw);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shell_takes_it_as_one_word),
        cmocka_unit_test(python_takes_it_as_these_bytes),
        cmocka_unit_test(a_zero_byte_is_kept_for_python),
        cmocka_unit_test(a_url_holds_only_what_needs_no_quoting),
        cmocka_unit_test(it_grows_and_may_be_empty),
        cmocka_unit_test(memory_that_is_out_is_told_once),
        cmocka_unit_test(bytes_that_a_guest_chose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
