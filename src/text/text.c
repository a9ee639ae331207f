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
