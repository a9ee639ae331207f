/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Builds a text in memory. */
#include "text/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void
memctx_text_deinit(struct memctx_text *text)
{
    free(text->bytes);
    *text = (struct memctx_text)MEMCTX_TEXT_INIT;
}

/* Make room for more bytes and a NUL. */
static bool
reserve(struct memctx_text *text, size_t more)
{
    if (text->failed)
        return false;
    size_t wanted = text->len_bytes + more + 1;
    if (wanted <= text->size)
        return true;
    size_t size = (size_t)memctx_max(wanted, 2 * (uint64_t)text->size);
    char *bytes = realloc(text->bytes, size);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->size = size;
    return true;
}

void
memctx_text_add(struct memctx_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !reserve(text, (size_t)len))
        return;
    va_start(args, format);
    vsnprintf(text->bytes + text->len_bytes, (size_t)len + 1, format, args);
    va_end(args);
    text->len_bytes += (size_t)len;
}

void
memctx_text_add_bytes(struct memctx_text *text, const void *bytes,
                      size_t len_bytes)
{
    if (!reserve(text, len_bytes))
        return;
    if (len_bytes > 0)
        memcpy(text->bytes + text->len_bytes, bytes, len_bytes);
    text->len_bytes += len_bytes;
    text->bytes[text->len_bytes] = '\0';
}

void
memctx_text_add_terminal(struct memctx_text *text, const void *bytes,
                         size_t len_bytes)
{
    const unsigned char *from = bytes;
    size_t plain = 0; /* bytes before i that are to be added yet */
    for (size_t i = 0; i < len_bytes; i++) {
        if ((from[i] >= ' ' && from[i] <= '~') || from[i] == '\t') {
            plain++;
            continue;
        }
        memctx_text_add_bytes(text, from + i - plain, plain);
        memctx_text_add(text, "\\x%02x", from[i]);
        plain = 0;
    }
    memctx_text_add_bytes(text, from + len_bytes - plain, plain);
}

/* Bytes of the character that stands there as RFC 3629 has it; 0: none does. */
static size_t
utf8_length(const unsigned char *from, size_t len_bytes)
{
    /* The first byte of each kind, the least and the greatest second one. */
    static const struct {
        unsigned char first, last, second_min, second_max, length;
    } kinds[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(kinds); i++) {
        size_t length = kinds[i].length;
        if (from[0] < kinds[i].first || from[0] > kinds[i].last)
            continue;
        if (length > len_bytes ||
            (length > 1 &&
             (from[1] < kinds[i].second_min || from[1] > kinds[i].second_max)))
            return 0;
        for (size_t n = 2; n < length; n++) {
            if ((from[n] & 0xc0) != 0x80)
                return 0;
        }
        return length;
    }
    return 0;
}

void
memctx_text_add_utf8(struct memctx_text *text, const void *bytes,
                     size_t len_bytes)
{
    const unsigned char *from = bytes;
    /* Bounded: each turn passes at least one byte. */
    for (size_t i = 0; i < len_bytes;) {
        size_t length = utf8_length(from + i, len_bytes - i);
        if (length == 0)
            memctx_text_add_bytes(text, "\xef\xbf\xbd", 3);
        else
            memctx_text_add_bytes(text, from + i, length);
        i += length > 0 ? length : 1;
    }
}

void
memctx_text_add_shell(struct memctx_text *text, const char *word)
{
    memctx_text_add(text, "'");
    for (const char *quote; (quote = strchr(word, '\'')) != NULL;
         word = quote + 1)
        memctx_text_add(text, "%.*s'\\''", (int)(quote - word), word);
    memctx_text_add(text, "%s'", word);
}

static bool
is_plain(unsigned char c, const char *specials)
{
    return c > ' ' && c <= '~' && strchr(specials, c) == NULL;
}

void
memctx_text_add_python(struct memctx_text *text, const void *bytes,
                       size_t len_bytes)
{
    const unsigned char *from = bytes;
    memctx_text_add(text, "b'");
    for (size_t i = 0; i < len_bytes; i++) {
        if (from[i] == ' ' || is_plain(from[i], "'\\"))
            memctx_text_add(text, "%c", from[i]);
        else
            memctx_text_add(text, "\\x%02x", from[i]);
    }
    memctx_text_add(text, "'");
}

void
memctx_text_add_url(struct memctx_text *text, const char *path)
{
    for (const char *c = path; *c != '\0'; c++) {
        bool unreserved =
            (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
            (*c >= 'a' && *c <= 'z') || strchr("/-._~", *c) != NULL;
        memctx_text_add(text, unreserved ? "%c" : "%%%02X", (unsigned char)*c);
    }
}

int
memctx_text_take(struct memctx_text *text, char **ret, struct memctx_error *err)
{
    memctx_text_add(text, "%s", "");
    if (text->failed) {
        memctx_text_deinit(text);
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    }
    *ret = text->bytes;
    *text = (struct memctx_text)MEMCTX_TEXT_INIT;
    return 0;
}
