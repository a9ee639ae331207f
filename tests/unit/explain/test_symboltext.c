/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols as lines: written, found again without parsing all, and what of a
 * text that somebody else wrote is taken. */
#include "unit.h"

#include "explain/symboltext.h"

static const struct memctx_symbol some[] = {
    {UINT64_C(0xffffffff81000000), 'T', "start", ""},
    {0x1c000, 'A', "late start", ""},
    {UINT64_C(0xffffffff81000010), 't', "art", ""},
    {UINT64_C(0xffffffff81000020), 't', "art", ""},
};

static struct memctx_text
write_some(unsigned digits)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(some); i++)
        memctx_symboltext_add(&text, &some[i], digits);
    assert_false(text.failed);
    return text;
}

static void
lines_and_back(void **state)
{
    (void)state;
    struct memctx_text text = write_some(16);
    const char *at = text.bytes;
    const char *end = at + text.len_bytes;
    char name[MEMCTX_SYMBOLS_NAME_MAX];
    struct memctx_symbol symbol;
    assert_string_equal(text.bytes, "ffffffff81000000 T start\n"
                                    "000000000001c000 A late start\n"
                                    "ffffffff81000010 t art\n"
                                    "ffffffff81000020 t art\n");
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(some); i++) {
        assert_true(memctx_symboltext_next(&at, end, name, &symbol));
        assert_true(symbol.address == some[i].address);
        assert_int_equal(symbol.type, some[i].type);
        assert_string_equal(symbol.name, some[i].name);
        assert_string_equal(symbol.module, "");
    }
    assert_ptr_equal(at, end);
    assert_false(memctx_symboltext_next(&at, end, name, &symbol));
    memctx_text_deinit(&text);
}

static void
a_module_stands_behind_the_name(void **state)
{
    (void)state;
    const struct memctx_symbol symbol = {0xc1000000, 't', "init", "virtio"};
    struct memctx_text text = MEMCTX_TEXT_INIT;
    memctx_symboltext_add(&text, &symbol, 8);
    assert_string_equal(text.bytes, "c1000000 t init\t[virtio]\n");
    memctx_text_deinit(&text);
}

/* A name that ends as another one does, or has a blank in it, is another. */
static void
finding_one(void **state)
{
    (void)state;
    static const unsigned digits[] = {8, 16};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(digits); i++) {
        struct memctx_text text = write_some(digits[i]);
        uint64_t address = 0;
        assert_true(memctx_symboltext_find(text.bytes, text.len_bytes, "art",
                                           &address));
        assert_int_equal(address & UINT32_MAX, 0x81000010);
        assert_true(memctx_symboltext_find(text.bytes, text.len_bytes, "start",
                                           &address));
        assert_int_equal(address & UINT32_MAX, 0x81000000);
        assert_true(memctx_symboltext_find(text.bytes, text.len_bytes,
                                           "late start", &address));
        assert_int_equal(address, 0x1c000);
        assert_false(memctx_symboltext_find(text.bytes, text.len_bytes, "late",
                                            &address));
        assert_false(
            memctx_symboltext_find(text.bytes, text.len_bytes, "", &address));
        memctx_text_deinit(&text);
    }
}

static void
names_of_any_length(void **state)
{
    (void)state;
    char name[2 * MEMCTX_SYMBOLS_NAME_MAX];
    char taken[MEMCTX_SYMBOLS_NAME_MAX];
    for (size_t len = 0; len < sizeof(name) - 1; len += 7) {
        size_t kept = (size_t)memctx_min(len, MEMCTX_SYMBOLS_NAME_MAX - 1);
        struct memctx_text text = MEMCTX_TEXT_INIT;
        struct memctx_symbol symbol = {0x10, 'T', name, ""};
        memset(name, 'x', len);
        name[len] = '\0';
        memctx_symboltext_add(&text, &symbol, 8);
        assert_int_equal(text.len_bytes, 8 + 3 + kept + 1);
        const char *at = text.bytes;
        assert_true(
            memctx_symboltext_next(&at, at + text.len_bytes, taken, &symbol));
        assert_int_equal(strlen(taken), kept);
        memctx_text_deinit(&text);
    }
}

static void
lines_that_are_none(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "\n",
                                       " T a\n",
                                       "0000000g T a\n",
                                       "00 T a\n",
                                       "00000000 \n",
                                       "00000000 T\n",
                                       "00000000 T a",
                                       "00000000\n",
                                       "00000000Ta\n",
                                       "000000000 T a\n",
                                       "00000000 TT a\n",
                                       "0x000000 T a\n"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(none); i++) {
        const char *at = none[i];
        const char *end = at + strlen(at);
        char name[MEMCTX_SYMBOLS_NAME_MAX];
        struct memctx_symbol symbol;
        uint64_t address;
        assert_false(memctx_symboltext_next(&at, end, name, &symbol));
        assert_ptr_equal(at, none[i]);
        assert_false(
            memctx_symboltext_find(none[i], strlen(none[i]), "a", &address));
    }
    /* One that is too long. */
    struct memctx_text text = MEMCTX_TEXT_INIT;
    memctx_text_add(&text, "00000000 T %0*d\n", MEMCTX_SYMBOLS_NAME_MAX, 0);
    const char *at = text.bytes;
    char name[MEMCTX_SYMBOLS_NAME_MAX];
    struct memctx_symbol symbol;
    assert_false(
        memctx_symboltext_next(&at, at + text.len_bytes, name, &symbol));
    memctx_text_deinit(&text);
}

/* Every byte at every place of a word, beside others that are odd or not. */
static void
a_text_for_a_terminal(void **state)
{
    (void)state;
    char text[20];
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memset(text, 'a', sizeof(text));
            text[(at + 3) % sizeof(text)] = '~';
            text[sizeof(text) - 1] = '\n';
            text[at] = (char)byte;
            bool plain = (byte >= ' ' && byte <= '~') || byte == '\n';
            assert_int_equal(memctx_symboltext_is_plain(text, sizeof(text)),
                             plain);
            memset(text, byte, sizeof(text) - 1);
            assert_int_equal(memctx_symboltext_is_plain(text, sizeof(text)),
                             plain);
        }
    }
    assert_false(memctx_symboltext_is_plain("", 0));
    assert_true(memctx_symboltext_is_plain("\n", 1));
    assert_false(memctx_symboltext_is_plain("a", 1));
    assert_false(memctx_symboltext_is_plain("abcdefgh", 8));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_back),
        cmocka_unit_test(a_module_stands_behind_the_name),
        cmocka_unit_test(finding_one),
        cmocka_unit_test(names_of_any_length),
        cmocka_unit_test(lines_that_are_none),
        cmocka_unit_test(a_text_for_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
