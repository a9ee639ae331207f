/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Hands the text on in pieces. */
#include "export/stream.h"

#include <string.h>

#include "base/bytes.h"

#define PIECE (64 * MEMCTX_KIB)

void
memctx_stream_init(struct memctx_stream *stream, const struct memctx_sink *sink)
{
    *stream = (struct memctx_stream){.sink = sink, .text = MEMCTX_TEXT_INIT};
}

bool
memctx_stream_failed(const struct memctx_stream *stream)
{
    return stream->err.kind != MEMCTX_OK;
}

static void
flush(struct memctx_stream *stream)
{
    struct memctx_text *text = &stream->text;
    if (text->failed)
        memctx_error_set(&stream->err, MEMCTX_EXHAUSTED, "out of memory");
    if (!memctx_stream_failed(stream) && text->len_bytes > 0)
        stream->sink->write(stream->sink->arg, text->bytes, text->len_bytes,
                            &stream->err);
    text->len_bytes = 0;
}

int
memctx_stream_end(struct memctx_stream *stream, struct memctx_error *err)
{
    flush(stream);
    memctx_text_deinit(&stream->text);
    if (!memctx_stream_failed(stream))
        return 0;
    return memctx_error_pass(err, &stream->err);
}

static void
add_bytes(struct memctx_stream *stream, const char *bytes, size_t len)
{
    if (memctx_stream_failed(stream))
        return;
    memctx_text_add_bytes(&stream->text, bytes, len);
    if (stream->text.len_bytes >= PIECE || stream->text.failed)
        flush(stream);
}

void
memctx_stream_add(struct memctx_stream *stream, const char *text)
{
    add_bytes(stream, text, strlen(text));
}

void
memctx_stream_number(struct memctx_stream *stream, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    add_bytes(stream, digits + at, sizeof(digits) - at);
}

void
memctx_stream_signed(struct memctx_stream *stream, int64_t number)
{
    if (number < 0)
        memctx_stream_add(stream, "-");
    memctx_stream_number(stream,
                         number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void
memctx_stream_string(struct memctx_stream *stream, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    memctx_stream_add(stream, "\"");
    /* Bounded: each turn takes a run of plain characters, or one other. */
    while (*text != '\0') {
        size_t plain = 0;
        while (text[plain] >= ' ' && text[plain] <= '~' && text[plain] != '"' &&
               text[plain] != '\\')
            plain++;
        add_bytes(stream, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        unsigned char c = (unsigned char)*text++;
        const char quoted[] = {'\\',           'u',           '0', '0',
                               digits[c >> 4], digits[c & 15]};
        add_bytes(stream, quoted, sizeof(quoted));
    }
    memctx_stream_add(stream, "\"");
}

void
memctx_stream_base64(struct memctx_stream *stream, const void *bytes,
                     size_t len_bytes)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                  "stuvwxyz0123456789+/";
    const unsigned char *from = bytes;
    memctx_stream_add(stream, "\"");
    for (size_t i = 0; i < len_bytes; i += 3) {
        size_t n = (size_t)memctx_min(3, len_bytes - i);
        uint32_t word = (uint32_t)from[i] << 16 |
                        (uint32_t)(n > 1 ? from[i + 1] : 0) << 8 |
                        (n > 2 ? from[i + 2] : 0);
        char four[4];
        for (size_t k = 0; k < 4; k++)
            four[k] = k <= n ? letters[word >> (18 - 6 * k) & 63] : '=';
        add_bytes(stream, four, sizeof(four));
    }
    memctx_stream_add(stream, "\"");
}
