/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A text for a sink, of which only the last part is in memory; and JSON in it.
 * For texts of some ten MiB: printf() would take longer than all the rest. */
#ifndef MEMCTX_EXPORT_STREAM_H
#define MEMCTX_EXPORT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/sink.h"
#include "text/text.h"

struct memctx_stream {
    const struct memctx_sink *sink;
    struct memctx_text text; /* what was not written yet */
    struct memctx_error err; /* the first one; nothing is written after it */
};

/* Begin, and end: 0, or -1 with the first error that there was. */
void memctx_stream_init(struct memctx_stream *stream,
                        const struct memctx_sink *sink);
int memctx_stream_end(struct memctx_stream *stream, struct memctx_error *err);

/* Has it failed? Long loops ask. */
bool memctx_stream_failed(const struct memctx_stream *stream);

/* Characters as they are. */
void memctx_stream_add(struct memctx_stream *stream, const char *text);

void memctx_stream_number(struct memctx_stream *stream, uint64_t number);
void memctx_stream_signed(struct memctx_stream *stream, int64_t number);

/* A string of JSON, in quotes: what is not printable ASCII as \u00NN. */
void memctx_stream_string(struct memctx_stream *stream, const char *text);

/* The same of bytes in base64 (RFC 4648). */
void memctx_stream_base64(struct memctx_stream *stream, const void *bytes,
                          size_t len_bytes);

#endif
