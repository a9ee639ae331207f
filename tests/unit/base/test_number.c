/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Numbers as text: what each reader takes and refuses, at the edges; and how
 * they are written. */
#include "unit.h"

#include "base/bytes.h"
#include "base/number.h"

#define UNTOUCHED 77

/* The readers, under one type. */
static bool
decimal(const char *text, uint64_t *ret)
{
    return memctx_number_parse_decimal(text, UINT64_MAX, ret);
}

static bool
number(const char *text, uint64_t *ret)
{
    return memctx_number_parse(text, UINT64_MAX, ret);
}

static bool
size(const char *text, uint64_t *ret)
{
    return memctx_number_parse_size(text, 1, ret);
}

typedef bool reader(const char *text, uint64_t *ret);

static uint64_t
read_by(reader *parse, const char *text)
{
    uint64_t value = UNTOUCHED;
    if (!parse(text, &value))
        fail_msg("'%s' is no number", text);
    return value;
}

/* None of these, up to NULL, is a number. */
static void
refuse_all(reader *parse, const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        uint64_t value = UNTOUCHED;
        if (parse(*texts, &value))
            fail_msg("'%s' is taken for %#" PRIx64, *texts, value);
        assert_int_equal(value, UNTOUCHED);
    }
}

/* What no reader takes. */
static const char *const never[] = {
    "",
    "-",
    "x",
    "0x",
    "0x-1",
    "0x+1",
    "0x 1",
    "0xg",
    "0x0x1",
    "--1",
    "-+1",
    "1.0",
    "1,000",
    "1 2",
    "10x",
    "18446744073709551616",
    "0x10000000000000000",
    "99999999999999999999999999",
    "000000000000000000000001",
    "0x000000000000000000000001",
    "\xc2\xb2",
    NULL,
};

static void
what_is_no_number_is_refused_by_all(void **state)
{
    (void)state;
    refuse_all(decimal, never);
    refuse_all(memctx_number_parse_hex, never);
    refuse_all(number, never);
    refuse_all(memctx_number_parse_signed, never);
    refuse_all(memctx_number_parse_c, never);
    refuse_all(size, never);
}

static void
decimal_is_digits_only(void **state)
{
    (void)state;
    static const char *const bad[] = {"0x1", " 1", "1 ", "+1",
                                      "-1",  "1k", "1a", NULL};
    assert_int_equal(read_by(decimal, "0"), 0);
    assert_int_equal(read_by(decimal, "007"), 7);
    assert_int_equal(read_by(decimal, "08"), 8);
    assert_true(read_by(decimal, "18446744073709551615") == UINT64_MAX);
    refuse_all(decimal, bad);
}

static void
the_bound_is_the_last_that_is_taken(void **state)
{
    (void)state;
    uint64_t value = UNTOUCHED;
    assert_false(memctx_number_parse_decimal("65536", UINT16_MAX, &value));
    assert_false(memctx_number_parse("0x10000", UINT16_MAX, &value));
    assert_int_equal(value, UNTOUCHED);
    assert_true(memctx_number_parse_decimal("65535", UINT16_MAX, &value));
    assert_int_equal(value, 65535);
    assert_true(memctx_number_parse("0x7fff", INT16_MAX, &value));
    assert_int_equal(value, 0x7fff);
    assert_true(memctx_number_parse_decimal("0", 0, &value));
    assert_int_equal(value, 0);
}

static void
hex_wants_its_0x(void **state)
{
    (void)state;
    static const char *const bad[] = {"1",    "a",    "X1",   "0X1", " 0x1",
                                      "0x1 ", "-0x1", "0x1k", NULL};
    assert_int_equal(read_by(memctx_number_parse_hex, "0x0"), 0);
    assert_int_equal(read_by(memctx_number_parse_hex, "0x000000000000000001"),
                     1);
    assert_int_equal(read_by(memctx_number_parse_hex, "0xaBcDeF09"),
                     0xabcdef09);
    assert_true(read_by(memctx_number_parse_hex, "0xffffffffffffffff") ==
                UINT64_MAX);
    refuse_all(memctx_number_parse_hex, bad);
}

static void
a_number_of_the_datum_is_hex_or_decimal(void **state)
{
    (void)state;
    static const char *const bad[] = {"0X1",  " 1", "+1", "-1",
                                      "-0x1", "a",  "1g", NULL};
    assert_int_equal(read_by(number, "2921"), 2921);
    assert_int_equal(read_by(number, "0x1ad000"), 0x1ad000);
    assert_int_equal(read_by(number, "010"), 10);
    refuse_all(number, bad);
}

static void
a_sign_makes_the_complement(void **state)
{
    (void)state;
    static const char *const bad[] = {" -1", "+1", "- 1", NULL};
    assert_int_equal(read_by(memctx_number_parse_signed, "5"), 5);
    assert_true(read_by(memctx_number_parse_signed, "-5") == (uint64_t)-5);
    assert_true(read_by(memctx_number_parse_signed, "-0x27200000") ==
                -UINT64_C(0x27200000));
    assert_int_equal(read_by(memctx_number_parse_signed, "-0"), 0);
    refuse_all(memctx_number_parse_signed, bad);
}

static void
c_has_octal_and_blanks(void **state)
{
    (void)state;
    static const char *const bad[] = {"-1",  " - 1", "08", "1k", "+ 1",
                                      "++1", "0x1g", " ",  "+",  NULL};
    assert_int_equal(read_by(memctx_number_parse_c, "0"), 0);
    assert_int_equal(read_by(memctx_number_parse_c, "010"), 8);
    assert_int_equal(read_by(memctx_number_parse_c, " \n\t0X1f\n "), 0x1f);
    assert_int_equal(read_by(memctx_number_parse_c, "+12"), 12);
    assert_true(read_by(memctx_number_parse_c, "01777777777777777777777") ==
                UINT64_MAX);
    refuse_all(memctx_number_parse_c, bad);
}

static uint64_t
size_of(const char *text, uint64_t unit)
{
    uint64_t value;
    if (!memctx_number_parse_size(text, unit, &value))
        fail_msg("'%s' is no size", text);
    return value;
}

static void
sizes_have_suffixes(void **state)
{
    (void)state;
    assert_int_equal(size_of("0", MEMCTX_MIB), 0);
    assert_int_equal(size_of("128", MEMCTX_MIB), 128 * MEMCTX_MIB);
    assert_int_equal(size_of("128", 1), 128);
    assert_int_equal(size_of("7b", MEMCTX_MIB), 7);
    assert_int_equal(size_of("7B", MEMCTX_MIB), 7);
    assert_int_equal(size_of("7k", MEMCTX_MIB), 7 * MEMCTX_KIB);
    assert_int_equal(size_of("7K", 1), 7 * MEMCTX_KIB);
    assert_int_equal(size_of("7m", 1), 7 * MEMCTX_MIB);
    assert_int_equal(size_of("7M", 1), 7 * MEMCTX_MIB);
    assert_int_equal(size_of("7g", 1), 7 * MEMCTX_GIB);
    assert_int_equal(size_of("7G", 1), 7 * MEMCTX_GIB);
    assert_int_equal(size_of("7t", 1), 7 * 1024 * MEMCTX_GIB);
    assert_int_equal(size_of("7T", 1), 7 * 1024 * MEMCTX_GIB);
    assert_int_equal(size_of("7P", 1), 7 * 1024 * 1024 * MEMCTX_GIB);
    assert_true(size_of("15e", 1) == UINT64_C(15) << 60);
    assert_int_equal(size_of("0x1b", 1), 0x1b);
    assert_int_equal(size_of("0X1k", 1), MEMCTX_KIB);
    assert_true(size_of("18446744073709551615", 1) == UINT64_MAX);
}

/* As in qemu_strtosz() of QEMU's util/cutils.c. */
static void
sizes_have_fractions(void **state)
{
    (void)state;
    assert_int_equal(size_of("0.125G", 1), 128 * MEMCTX_MIB);
    assert_int_equal(size_of("1.5g", 1), 1536 * MEMCTX_MIB);
    assert_int_equal(size_of("1.k", 1), MEMCTX_KIB);
    assert_int_equal(size_of(".5M", 1), 512 * MEMCTX_KIB);
    assert_int_equal(size_of("2.25", MEMCTX_MIB), 2304 * MEMCTX_KIB);
    assert_int_equal(size_of("0.1k", 1), 102);
    assert_int_equal(size_of("0.99999999999999999999999999k", 1), 1024);
}

/* QEMU knows no octal: -m 0512 is 512 MiB. */
static void
a_size_with_a_leading_zero_is_decimal(void **state)
{
    (void)state;
    assert_int_equal(size_of("0512", MEMCTX_MIB), 512 * MEMCTX_MIB);
    assert_int_equal(size_of("08", 1), 8);
}

static void
texts_that_are_no_size(void **state)
{
    (void)state;
    static const char *const bad[] = {
        " 1",
        "-1",
        "+1",
        "k",
        "1x",
        "1kk",
        "1 k",
        "1.5",
        "1.5b",
        ".",
        ".k",
        "1..5k",
        "0x1.8k",
        "15.5.5e",
        "16e",
        "15.9999999999999999999e",
        "1,",
        "1Gi",
        "0xk",
        "0x1 ",
        "18014398509481984k",
        "16777216t",
        NULL,
    };
    refuse_all(size, bad);
}

static void
seconds_may_have_a_fraction(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"0", 0},         {"5", 5000},  {"0.25", 250},          {".5", 500},
        {"1e3", 1000000}, {" 1", 1000}, {"1e9", 1000000000000}, {"-0", 0},
    };
    static const char *const bad[] = {"",     "-1", "1s",         "inf", "nan",
                                      "1e10", "1 ", "1000000001", "."};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(good); i++) {
        int64_t ms = UNTOUCHED;
        assert_true(memctx_number_parse_seconds(good[i].text, &ms));
        assert_true(ms == good[i].ms);
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(bad); i++) {
        int64_t ms = UNTOUCHED;
        if (memctx_number_parse_seconds(bad[i], &ms))
            fail_msg("'%s' is taken for seconds", bad[i]);
        assert_int_equal(ms, UNTOUCHED);
    }
}

static void
bytes_are_two_digits_each(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "0",     "abc", "0x",        "g0",
                                      "0g", "00 11", "-1",  "0011223344"};
    unsigned char bytes[4];
    size_t n = UNTOUCHED;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(bad); i++)
        assert_false(
            memctx_number_parse_bytes(bad[i], bytes, sizeof(bytes), &n));
    assert_int_equal(n, UNTOUCHED);
    assert_true(
        memctx_number_parse_bytes("00fFa1B2", bytes, sizeof(bytes), &n));
    assert_int_equal(n, 4);
    assert_memory_equal(bytes, "\x00\xff\xa1\xb2", 4);
}

static void
taking_stops_behind_the_digits(void **state)
{
    (void)state;
    static const char text[] = "7f-0 z";
    const char *at = text;
    uint64_t value;
    assert_true(memctx_number_take(&at, 16, UINT64_MAX, &value));
    assert_int_equal(value, 0x7f);
    assert_string_equal(at, "-0 z");
    assert_false(memctx_number_take(&at, 16, UINT64_MAX, &value));
    assert_string_equal(at, "-0 z");
    assert_int_equal(value, 0x7f);
    at++;
    assert_true(memctx_number_take(&at, 10, 0, &value));
    assert_int_equal(value, 0);
    assert_string_equal(at, " z");
    at = "fd:00";
    assert_true(memctx_number_take(&at, 16, UINT64_MAX, &value));
    assert_int_equal(value, 0xfd);
    assert_string_equal(at, ":00");
    at = "18446744073709551616";
    assert_false(memctx_number_take(&at, 10, UINT64_MAX, &value));
    assert_string_equal(at, "18446744073709551616");
    at = "17";
    assert_false(memctx_number_take(&at, 10, 16, &value));
    assert_string_equal(at, "17");
    at = "178";
    assert_true(memctx_number_take(&at, 8, UINT64_MAX, &value));
    assert_int_equal(value, 15);
    assert_string_equal(at, "8");
}

static void
assert_written(int64_t value, const char *hex, const char *with_sign)
{
    char text[MEMCTX_NUMBER_MAX];
    memctx_number_print_hex((uint64_t)value, text);
    assert_string_equal(text, hex);
    memctx_number_print_signed(value, text);
    assert_string_equal(text, with_sign);
}

static void
numbers_are_written_in_lower_case_hex(void **state)
{
    (void)state;
    assert_written(0, "0x0", "0x0");
    assert_written(0x1ad000, "0x1ad000", "0x1ad000");
    assert_written(-0x27200000, "0xffffffffd8e00000", "-0x27200000");
    assert_written(-1, "0xffffffffffffffff", "-0x1");
    assert_written(INT64_MAX, "0x7fffffffffffffff", "0x7fffffffffffffff");
    assert_written(INT64_MIN, "0x8000000000000000", "-0x8000000000000000");
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(what_is_no_number_is_refused_by_all),
        T(decimal_is_digits_only),
        T(the_bound_is_the_last_that_is_taken),
        T(hex_wants_its_0x),
        T(a_number_of_the_datum_is_hex_or_decimal),
        T(a_sign_makes_the_complement),
        T(c_has_octal_and_blanks),
        T(sizes_have_suffixes),
        T(sizes_have_fractions),
        T(a_size_with_a_leading_zero_is_decimal),
        T(texts_that_are_no_size),
        T(seconds_may_have_a_fraction),
        T(bytes_are_two_digits_each),
        T(taking_stops_behind_the_digits),
        T(numbers_are_written_in_lower_case_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
