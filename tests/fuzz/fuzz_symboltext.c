/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Any bytes as a file of kept symbols: what is taken of them is what is written
 * of it again, and is found. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "explain/symboltext.h"

/* A name with a NUL in it is cut there. */
static void
check_line(const char *line, size_t len, const struct memctx_symbol *symbol)
{
    const char *blank = memchr(line, ' ', len);
    struct memctx_text text = MEMCTX_TEXT_INIT;
    size_t digits = (size_t)(blank - line);
    memctx_symboltext_add(&text, symbol, (unsigned)digits);
    FUZZ_MUST(text.len_bytes <= len);
    if (text.len_bytes == len)
        FUZZ_MUST(memcmp(text.bytes + digits, blank, len - digits) == 0);
    memctx_text_deinit(&text);
}

/* Each line that is taken is written again, and found by its name. */
static void
check_lines(const char *text, size_t size)
{
    char name[MEMCTX_SYMBOLS_NAME_MAX];
    struct memctx_symbol symbol;
    const char *at = text;
    for (const char *line = text;
         memctx_symboltext_next(&at, text + size, name, &symbol); line = at) {
        size_t len = (size_t)(at - line);
        uint64_t address;
        FUZZ_MUST(at > line);
        check_line(line, len, &symbol);
        bool found = memctx_symboltext_find(text, size, name, &address);
        FUZZ_MUST(found || name[0] == '\0' || memchr(line, '\0', len) != NULL);
    }
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    uint64_t address;
    /* Of its own length, so that what reads beyond it is seen. */
    char *text = calloc(1, size > 0 ? size : 1);
    if (size > 0)
        memcpy(text, data, size);
    bool plain = memctx_symboltext_is_plain(text, size);
    for (size_t i = 0; i < size; i++)
        FUZZ_MUST(!plain || text[i] == '\n' ||
                  (text[i] >= ' ' && text[i] <= '~'));
    check_lines(text, size);
    memctx_symboltext_find(text, size, "printk", &address);
    free(text);
}
