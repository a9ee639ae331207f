/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A text that grows, and how a foreign string is quoted in it for whom. What
 * is added may have been chosen by a guest or by who named a file. */
#ifndef MEMCTX_TEXT_H
#define MEMCTX_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Initialise with MEMCTX_TEXT_INIT. */
struct memctx_text {
    char *bytes; /* owned; NUL behind them; NULL: nothing was added yet */
    size_t len_bytes;
    size_t size;
    bool failed; /* out of memory; later additions do nothing */
};

#define MEMCTX_TEXT_INIT \
    {                    \
        .bytes = NULL    \
    }

void memctx_text_deinit(struct memctx_text *text);

/* printf-style. */
void memctx_text_add(struct memctx_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes as they are. */
void memctx_text_add_bytes(struct memctx_text *text, const void *bytes,
                           size_t len_bytes);

/* For a terminal, as dmesg(1) does it: what is neither printable ASCII nor a
 * tab as \xNN. The backslash stays as it is. */
void memctx_text_add_terminal(struct memctx_text *text, const void *bytes,
                              size_t len_bytes);

/* As UTF-8, for whoever quotes it further: what is none, or a NUL, becomes
 * U+FFFD. */
void memctx_text_add_utf8(struct memctx_text *text, const void *bytes,
                          size_t len_bytes);

/* One word for a POSIX shell, in single quotes. */
void memctx_text_add_shell(struct memctx_text *text, const char *word);

/* A bytes literal of Python 3: b'...', every byte that could end it, or is no
 * printable ASCII, as \xNN. */
void memctx_text_add_python(struct memctx_text *text, const void *bytes,
                            size_t len_bytes);

/* The path of a file URL: what is not unreserved in RFC 3986 and no slash as
 * %NN. */
void memctx_text_add_url(struct memctx_text *text, const char *path);

/* Take the text out: *ret is the caller's to free(), "" when nothing was
 * added. -1 with EXHAUSTED: out of memory. */
int memctx_text_take(struct memctx_text *text, char **ret,
                     struct memctx_error *err);

#endif
