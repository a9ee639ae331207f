/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prints and parses; what is not exactly one of ours says nothing. */
#include "publish/claimword.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "text/xml.h"

#define WORD_MAX 1024 /* bytes of an element that we look into */

static const char *const names[] = {
    [CLAIM_SAID_ASK] = "ask",
    [CLAIM_SAID_HELD] = "held",
};

int
claimword_make_token(enum claim_rank rank, char token[CLAIM_TOKEN_SIZE],
                     struct memctx_error *err)
{
    uint64_t bits[2];
    if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "no random bits: %s",
                                strerror(errno));
    snprintf(token, CLAIM_TOKEN_SIZE, "%u%016llx%016llx", (unsigned)rank % 10,
             (unsigned long long)bits[0], (unsigned long long)bits[1]);
    return 0;
}

void
claimword_print(enum claim_said said, const char *token,
                char text[CLAIM_TEXT_SIZE])
{
    snprintf(text, CLAIM_TEXT_SIZE, "<%s token=\"%.*s\"/>", names[said],
             CLAIM_TOKEN_SIZE - 1, token);
}

static bool
is_token(const char *text)
{
    return strlen(text) == CLAIM_TOKEN_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == CLAIM_TOKEN_SIZE - 1;
}

struct claim_word
claimword_parse(const char *text)
{
    MEMCTX_CLEANUP(memctx_cleanup_xml_doc) xmlDoc *doc = NULL;
    struct claim_word word = {.said = CLAIM_SAID_NOTHING};
    if (text == NULL ||
        memctx_xml_parse(text, strlen(text), WORD_MAX, &doc, NULL) < 0)
        return word;
    const xmlNode *root = xmlDocGetRootElement(doc);
    memctx_xml_attr(root, "token", word.token, sizeof(word.token));
    for (size_t i = CLAIM_SAID_ASK; i < MEMCTX_ARRAY_LEN(names); i++) {
        if (strcmp((const char *)root->name, names[i]) == 0)
            word.said = (enum claim_said)i;
    }
    if (word.said == CLAIM_SAID_NOTHING || !is_token(word.token))
        word = (struct claim_word){.said = CLAIM_SAID_NOTHING};
    return word;
}
