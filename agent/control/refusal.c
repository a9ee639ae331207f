/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Words for refusals. */
#include "control/refusal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/bytes.h"

static const char *const kind_names[] = {
    [REFUSAL_RETRY] = "retry",   [REFUSAL_PERMANENT] = "permanent",
    [REFUSAL_GONE] = "gone",     [REFUSAL_STALE] = "stale",
    [REFUSAL_DENIED] = "denied", [REFUSAL_USAGE] = "usage",
    [REFUSAL_BUG] = "bug",       [REFUSAL_EXHAUSTED] = "exhausted",
};
_Static_assert(MEMCTX_ARRAY_LEN(kind_names) == REFUSAL_KINDS,
               "every kind of refusal has a name");

static const enum refusal_kind kinds_of_errors[] = {
    [MEMCTX_OK] = REFUSAL_BUG,
    [MEMCTX_RETRY] = REFUSAL_RETRY,
    [MEMCTX_PERMANENT] = REFUSAL_PERMANENT,
    [MEMCTX_GONE] = REFUSAL_GONE,
    [MEMCTX_BUG] = REFUSAL_BUG,
    [MEMCTX_STALE] = REFUSAL_STALE,
    [MEMCTX_EXHAUSTED] = REFUSAL_EXHAUSTED,
};
_Static_assert(MEMCTX_ARRAY_LEN(kinds_of_errors) == MEMCTX_ERROR_KINDS,
               "every kind of error is one of refusal");

/* What a client or a domain's name chose is repeated in answers and logs. */
void
refusal_fill(struct refusal *refusal, enum refusal_kind kind,
             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    refusal->kind = kind;
    vsnprintf(refusal->message, sizeof(refusal->message), format, args);
    va_end(args);
    memctx_error_make_printable(refusal->message);
}

int
refuse_error(struct refusal *refusal, const struct memctx_error *err)
{
    return refuse(refusal, kinds_of_errors[err->kind], "%s", err->message);
}

const char *
refusal_kind_name(enum refusal_kind kind)
{
    return kind_names[kind];
}
