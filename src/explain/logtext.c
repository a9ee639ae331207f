/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes records as syslog(2) gives them, from which dmesg(1) makes its lines:
 * the time, and in front of it facility and level as one number. */
#include "explain/logtext.h"

#include <inttypes.h>
#include <string.h>

static void
add_head(struct memctx_text *text, const struct memctx_printk_record *record,
         enum memctx_logtext format)
{
    if (format != MEMCTX_LOGTEXT_PLAIN)
        memctx_text_add(text, "<%u>", record->facility << 3 | record->level);
    memctx_text_add(text, "[%5" PRIu64 ".%06" PRIu64 "] ",
                    record->ts_nsec / 1000000000,
                    record->ts_nsec % 1000000000 / 1000);
}

void
memctx_logtext_add(struct memctx_text *text,
                   const struct memctx_printk_record *record,
                   enum memctx_logtext format)
{
    const char *at = record->text;
    const char *end = at + record->len_bytes;
    const char *newline;
    /* Bounded: each turn but the last passes a newline. */
    do {
        newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        size_t len = (size_t)((newline != NULL ? newline : end) - at);
        add_head(text, record, format);
        if (format == MEMCTX_LOGTEXT_RAW)
            memctx_text_add_bytes(text, at, len);
        else
            memctx_text_add_terminal(text, at, len);
        memctx_text_add_bytes(text, "\n", 1);
        at += len + 1;
    } while (newline != NULL);
}
