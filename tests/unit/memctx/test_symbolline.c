/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols as lines of /proc/kallsyms, of System.map, and as JSON. */
#include "unit.h"

#include "memctx/symbolline.h"

static const struct memctx_kernel kernel = {
    .paging = MEMCTX_PAGING_X86_64_4LEVEL,
    .base_gva = UINT64_C(0xffffffff91000000),
    .linux_facts = {.has_kaslr_offset = true, .kaslr_offset = 0x10000000},
};

static void
assert_line(const char *format, const struct memctx_symbol *symbol,
            const char *wanted)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    const struct symbolline_format *found = symbolline_find(format);
    assert_non_null(found);
    found->add(&text, &kernel, symbol);
    assert_string_equal(text.bytes != NULL ? text.bytes : "", wanted);
    memctx_text_deinit(&text);
}

static void
lines_of_each_format(void **state)
{
    (void)state;
    const struct memctx_symbol text = {UINT64_C(0xffffffff91000010), 'T',
                                       "start", ""};
    const struct memctx_symbol percpu = {0x1c000, 'A', "data", ""};
    const struct memctx_symbol module = {UINT64_C(0xffffffffc0001000), 't',
                                         "init", "virtio"};
    assert_line("kallsyms", &text, "ffffffff91000010 T start\n");
    assert_line("kallsyms", &percpu, "000000000001c000 A data\n");
    assert_line("kallsyms", &module, "ffffffffc0001000 t init\t[virtio]\n");
    assert_line("system-map", &text, "ffffffff81000010 T start\n");
    assert_line("system-map", &percpu, "000000000001c000 A data\n");
    assert_line("system-map", &module, "");
    assert_null(symbolline_find("kallsym"));
    assert_null(symbolline_find(""));
}

static void
addresses_of_32_bits(void **state)
{
    (void)state;
    const struct memctx_kernel narrow = {.paging = MEMCTX_PAGING_X86_PAE};
    const struct memctx_symbol symbol = {UINT64_C(0xc1000000), 'T', "_text",
                                         ""};
    struct memctx_text text = MEMCTX_TEXT_INIT;
    symbolline_find("kallsyms")->add(&text, &narrow, &symbol);
    assert_string_equal(text.bytes, "c1000000 T _text\n");
    memctx_text_deinit(&text);
}

static void
json_of_a_symbol(void **state)
{
    (void)state;
    const struct memctx_symbol symbol = {0x10, '"', "a\\b", "m\"x"};
    const struct memctx_symbol plain = {0, 'T', "a", ""};
    struct memctx_text text = MEMCTX_TEXT_INIT;
    symbolline_add_json(&text, &symbol);
    assert_string_equal(text.bytes,
                        "{\"address\":\"0x10\",\"type\":\"\\\"\","
                        "\"name\":\"a\\\\b\",\"module\":\"m\\\"x\"}");
    memctx_text_deinit(&text);
    symbolline_add_json(&text, &plain);
    assert_string_equal(text.bytes,
                        "{\"address\":\"0x0\",\"type\":\"T\",\"name\":\"a\"}");
    memctx_text_deinit(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_each_format),
        cmocka_unit_test(addresses_of_32_bits),
        cmocka_unit_test(json_of_a_symbol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
