/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes messages apart, and makes some. */
#include "control/message.h"

#include <ctype.h>
#include <string.h>

#include "base/number.h"

#define DEPTH_MAX 8

json_object *
message_parse(const struct packet *packet)
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
message_text(json_object *message, const char *key)
{
    json_object *member;
    if (!json_object_object_get_ex(message, key, &member) ||
        !json_object_is_type(member, json_type_string))
        return NULL;
    const char *text = json_object_get_string(member);
    /* "\u0000" within: not a text of ours. */
    return strlen(text) == (size_t)json_object_get_string_len(member) ? text
                                                                      : NULL;
}

int
message_number(json_object *message, const char *key, uint64_t *ret,
               struct refusal *refusal)
{
    json_object *member;
    if (!json_object_object_get_ex(message, key, &member))
        return 0;
    if (json_object_is_type(member, json_type_int)) {
        /* What does not fit reads as the largest number, and may be any. */
        bool fits = json_object_get_int64(member) >= 0 &&
                    json_object_get_uint64(member) != UINT64_MAX;
        *ret = json_object_get_uint64(member);
        if (fits)
            return 1;
    }
    const char *text = message_text(message, key);
    if (text != NULL && memctx_number_parse_hex(text, ret))
        return 1;
    return refuse(refusal, REFUSAL_USAGE,
                  "\"%s\" wants a number as \"0x1000\" or 4096", key);
}

bool
message_flag(json_object *message, const char *key)
{
    json_object *member;
    return json_object_object_get_ex(message, key, &member) &&
           json_object_is_type(member, json_type_boolean) &&
           json_object_get_boolean(member);
}

struct packet *
message_packet(json_object *object)
{
    size_t len = 0;
    const char *text = json_object_to_json_string_length(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    struct packet *packet = text != NULL ? packet_create(len) : NULL;
    if (packet != NULL)
        memcpy(packet->bytes, text, len);
    json_object_put(object);
    return packet;
}
