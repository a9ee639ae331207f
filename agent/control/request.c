/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes requests apart. */
#include "control/request.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/number.h"

#define DEPTH_MAX 8

static const char *const verdict_names[] = {
    [VERDICT_RETRY] = "retry",   [VERDICT_PERMANENT] = "permanent",
    [VERDICT_GONE] = "gone",     [VERDICT_STALE] = "stale",
    [VERDICT_DENIED] = "denied", [VERDICT_USAGE] = "usage",
    [VERDICT_BUG] = "bug",       [VERDICT_EXHAUSTED] = "exhausted",
};
_Static_assert(MEMCTX_ARRAY_LEN(verdict_names) == VERDICTS,
               "every verdict has a name");

static const enum verdict verdicts[] = {
    [MEMCTX_OK] = VERDICT_BUG,
    [MEMCTX_RETRY] = VERDICT_RETRY,
    [MEMCTX_PERMANENT] = VERDICT_PERMANENT,
    [MEMCTX_GONE] = VERDICT_GONE,
    [MEMCTX_BUG] = VERDICT_BUG,
    [MEMCTX_STALE] = VERDICT_STALE,
    [MEMCTX_EXHAUSTED] = VERDICT_EXHAUSTED,
};
_Static_assert(MEMCTX_ARRAY_LEN(verdicts) == MEMCTX_ERROR_KINDS,
               "every kind of error has a verdict");

/* What a client or a domain's name chose is repeated in answers and logs. */
void
refusal_fill(struct refusal *refusal, enum verdict verdict, const char *format,
             ...)
{
    va_list args;
    va_start(args, format);
    refusal->verdict = verdict;
    vsnprintf(refusal->message, sizeof(refusal->message), format, args);
    va_end(args);
    memctx_error_make_printable(refusal->message);
}

int
refuse_error(struct refusal *refusal, const struct memctx_error *err)
{
    return refuse(refusal, verdicts[err->kind], "%s", err->message);
}

const char *
verdict_name(enum verdict verdict)
{
    return verdict_names[verdict];
}

json_object *
request_parse(const struct packet *packet)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    if (tokener == NULL)
        return NULL;
    json_object *object =
        json_tokener_parse_ex(tokener, packet->bytes, (int)packet->len);
    size_t end = json_tokener_get_parse_end(tokener);
    bool whole = json_tokener_get_error(tokener) == json_tokener_success;
    json_tokener_free(tokener);
    while (end < packet->len && isspace((unsigned char)packet->bytes[end]))
        end++;
    if (whole && end == packet->len &&
        json_object_is_type(object, json_type_object))
        return object;
    json_object_put(object);
    return NULL;
}

const char *
request_text(json_object *request, const char *key)
{
    json_object *member;
    if (!json_object_object_get_ex(request, key, &member) ||
        !json_object_is_type(member, json_type_string))
        return NULL;
    const char *text = json_object_get_string(member);
    /* "\u0000" within: not a text of ours. */
    return strlen(text) == (size_t)json_object_get_string_len(member) ? text
                                                                      : NULL;
}

int
request_number(json_object *request, const char *key, uint64_t *ret,
               struct refusal *refusal)
{
    json_object *member;
    if (!json_object_object_get_ex(request, key, &member))
        return 0;
    if (json_object_is_type(member, json_type_int)) {
        /* What does not fit reads as the largest number, and may be any. */
        bool fits = json_object_get_int64(member) >= 0 &&
                    json_object_get_uint64(member) != UINT64_MAX;
        *ret = json_object_get_uint64(member);
        if (fits)
            return 1;
    }
    const char *text = request_text(request, key);
    if (text != NULL && memctx_number_parse_hex(text, ret))
        return 1;
    return refuse(refusal, VERDICT_USAGE,
                  "\"%s\" wants a number as \"0x1000\" or 4096", key);
}

bool
request_flag(json_object *request, const char *key)
{
    json_object *member;
    return json_object_object_get_ex(request, key, &member) &&
           json_object_is_type(member, json_type_boolean) &&
           json_object_get_boolean(member);
}
