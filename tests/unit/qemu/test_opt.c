/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* QEMU's option syntax, in both spellings, and its sizes. */
#include "unit.h"

#include "base/bytes.h"
#include "qemu/opt.h"

static void
expect(const char *text, const char *key, const char *value)
{
    char found[64];
    struct memctx_qemuopt *opt = memctx_qemuopt_open(text);
    assert_non_null(opt);
    bool there = memctx_qemuopt_get(opt, key, found, sizeof(found));
    if (there != (value != NULL) ||
        strcmp(found, value != NULL ? value : "") != 0)
        fail_msg("%s of %s is '%s'", key, text, found);
    memctx_qemuopt_close(opt);
}

static void
test_words_and_keys(void **state)
{
    (void)state;
    expect("pc-dimm,id=a,memdev=b", "", "pc-dimm");
    expect("pc-dimm,id=a,memdev=b", "memdev", "b");
    expect("pc-dimm,id=a,memdev=b", "mem", NULL);
    expect("id=a,id=b", "id", "b");
    expect("id=a", "", NULL);
    expect("", "", NULL);
    expect("x,id=a,,b,c", "id", "a,b");
    expect("x,id=", "id", "");
    expect("x,size=1,id=0123456789012345678901234567890123456789012345678901"
           "2345678901234",
           "id", NULL);
}

static void
test_json(void **state)
{
    (void)state;
    static const char text[] =
        "{\"driver\":\"nvdimm\",\"size\":7,\"share\":true,\"list\":[1],"
        "\"none\":null,\"object\":{}}";
    expect(text, "driver", "nvdimm");
    expect(text, "size", "7");
    expect(text, "share", "true");
    expect(text, "list", NULL);
    expect(text, "none", NULL);
    expect(text, "object", NULL);
    expect(text, "", NULL);
    assert_null(memctx_qemuopt_open("{"));
    assert_null(memctx_qemuopt_open("{\"a\":"));
    memctx_qemuopt_close(NULL);
}

static uint64_t
size_of(const char *text, uint64_t unit)
{
    uint64_t size;
    if (!memctx_qemuopt_size(text, unit, &size))
        fail_msg("'%s' is no size", text);
    return size;
}

static void
test_sizes(void **state)
{
    (void)state;
    assert_int_equal(size_of("0", MEMCTX_MIB), 0);
    assert_int_equal(size_of("128", MEMCTX_MIB), 128 * MEMCTX_MIB);
    assert_int_equal(size_of("128", 1), 128);
    assert_int_equal(size_of("7b", MEMCTX_MIB), 7);
    assert_int_equal(size_of("7B", MEMCTX_MIB), 7);
    assert_int_equal(size_of("7k", MEMCTX_MIB), 7 * MEMCTX_KIB);
    assert_int_equal(size_of("7M", 1), 7 * MEMCTX_MIB);
    assert_int_equal(size_of("7g", 1), 7 * MEMCTX_GIB);
    assert_int_equal(size_of("7T", 1), 7 * 1024 * MEMCTX_GIB);
    assert_int_equal(size_of("0x1b", 1), 0x1b);
    assert_true(size_of("18446744073709551615", 1) == UINT64_MAX);
}

/* QEMU knows no octal: -m 0512 is 512 MiB. */
static void
test_size_with_a_leading_zero_is_decimal(void **state)
{
    (void)state;
    assert_int_equal(size_of("0512", MEMCTX_MIB), 512 * MEMCTX_MIB);
    assert_int_equal(size_of("08", 1), 8);
}

static void
test_texts_that_are_no_size(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " 1",
        "-1",
        "+1",
        "k",
        "1x",
        "1kk",
        "1 k",
        "1.5G",
        "1,",
        "0xg",
        "0x",
        "1Gi",
        "18446744073709551616",
        "18014398509481984k",
        "16777216t",
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(texts); i++) {
        uint64_t size = 77;
        if (memctx_qemuopt_size(texts[i], 1, &size))
            fail_msg("'%s' is taken as a size", texts[i]);
        assert_int_equal(size, 77);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_words_and_keys),
        T(test_json),
        T(test_sizes),
        T(test_size_with_a_leading_zero_is_decimal),
        T(test_texts_that_are_no_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
