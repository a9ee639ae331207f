/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Hands texts on to src/text and json-c. */
#include "memctx/quote.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "text/text.h"

void
quote_print(const char *text)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text quoted = MEMCTX_TEXT_INIT;
    memctx_text_add_terminal(&quoted, text, strlen(text));
    if (!quoted.failed)
        fwrite(quoted.bytes, 1, quoted.len_bytes, stdout);
}

json_object *
quote_json(const char *text)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text quoted = MEMCTX_TEXT_INIT;
    memctx_text_add_utf8(&quoted, text, strlen(text));
    memctx_text_add(&quoted, "%s", ""); /* a NUL behind an empty one, too */
    return quoted.failed ? NULL : json_object_new_string(quoted.bytes);
}

void
quote_add(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, quote_json(text));
}
