/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What agents say to each other, and what anybody else may have written. */
#include "unit.h"

#include "publish/claimword.h"

static void
test_what_is_printed_is_parsed(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char token[CLAIM_TOKEN_SIZE];
    char text[CLAIM_TEXT_SIZE];
    (void)state;
    for (int said = CLAIM_SAID_ASK; said <= CLAIM_SAID_HELD; said++) {
        assert_done(claimword_make_token(CLAIM_RANK_NEWCOMER, token, &err),
                    &err);
        claimword_print((enum claim_said)said, token, text);
        struct claim_word word = claimword_parse(text);
        assert_int_equal(word.said, said);
        assert_string_equal(word.token, token);
    }
}

static void
test_tokens_differ_and_go_by_rank(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char first[CLAIM_TOKEN_SIZE];
    char second[CLAIM_TOKEN_SIZE];
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        assert_done(claimword_make_token(CLAIM_RANK_NEWCOMER, first, &err),
                    &err);
        assert_done(claimword_make_token(CLAIM_RANK_NEWCOMER, second, &err),
                    &err);
        assert_string_not_equal(first, second);
        assert_done(claimword_make_token(CLAIM_RANK_SENIOR, second, &err),
                    &err);
        assert_true(strcmp(second, first) < 0);
        assert_done(claimword_make_token(CLAIM_RANK_RETRACTS, second, &err),
                    &err);
        assert_true(strcmp(second, first) > 0);
    }
}

#define BITS "0123456789abcdef0123456789abcdef"

static void
test_anything_else_says_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "<ask",
        "<ask/>",
        "<ask token=''/>",
        "<ask token='1" BITS "0'/>",
        "<ask token='" BITS "'/>",
        "<ask token='1" BITS "' /><ask/>",
        "<held token='1" BITS "\n'/>",
        "<held token='G" BITS "'/>",
        "<a><ask token='1" BITS "'/></a>",
        "<!DOCTYPE a><ask token='1" BITS "'/>",
    };
    (void)state;
    assert_int_equal(claimword_parse(NULL).said, CLAIM_SAID_NOTHING);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct claim_word word = claimword_parse(texts[i]);
        assert_int_equal(word.said, CLAIM_SAID_NOTHING);
        assert_string_equal(word.token, "");
    }
    assert_int_equal(claimword_parse("<ask token='1" BITS "'/>").said,
                     CLAIM_SAID_ASK);
}

static void
test_long_element_is_not_looked_into(void **state)
{
    char text[4096];
    (void)state;
    snprintf(text, sizeof(text), "<ask token='1" BITS "'>%2000s</ask>", "");
    assert_int_equal(claimword_parse(text).said, CLAIM_SAID_NOTHING);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_what_is_printed_is_parsed),
        T(test_tokens_differ_and_go_by_rank),
        T(test_anything_else_says_nothing),
        T(test_long_element_is_not_looked_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
