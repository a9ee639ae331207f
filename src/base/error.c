/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Formats error values; must not allocate, log or know who reads them. */
#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [MEMCTX_OK] = "ok",
    [MEMCTX_RETRY] = "retry",
    [MEMCTX_PERMANENT] = "permanent",
    [MEMCTX_GONE] = "gone",
    [MEMCTX_BUG] = "bug",
    [MEMCTX_STALE] = "stale",
    [MEMCTX_EXHAUSTED] = "exhausted",
};
static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == MEMCTX_ERROR_KINDS,
              "every kind of error has a name");

/* UTF-8 in a domain's name becomes '?' too: a log line is no place to decide
 * what a terminal does with bytes from outside. */
void
memctx_error_make_printable(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

void
memctx_error_fill(struct memctx_error *err, enum memctx_error_kind kind,
                  const char *format, ...)
{
    assert(kind != MEMCTX_OK);
    if (err == NULL)
        return;
    va_list args;
    va_start(args, format);
    err->kind = kind;
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    memctx_error_make_printable(err->message);
}

void
memctx_error_copy(struct memctx_error *err, const struct memctx_error *why)
{
    if (err != NULL)
        *err = *why;
}

void
memctx_error_put_before(struct memctx_error *err, const char *format, ...)
{
    if (err == NULL)
        return;
    char prefix[MEMCTX_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);

    char old[MEMCTX_MESSAGE_MAX];
    memcpy(old, err->message, sizeof(old));
    size_t len = strnlen(prefix, sizeof(prefix) - 3);
    memcpy(err->message, prefix, len);
    memcpy(err->message + len, ": ", 3);
    strncat(err->message, old, sizeof(err->message) - len - 3);
    memctx_error_make_printable(err->message);
}

const char *
memctx_error_kind_name(enum memctx_error_kind kind)
{
    return kind < MEMCTX_ERROR_KINDS ? kind_names[kind] : "?";
}
