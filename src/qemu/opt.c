/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes option arguments apart. Any local user can write one. */
#include "qemu/opt.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct memctx_qemuopt {
    const char *text;    /* the caller's */
    json_object *object; /* NULL: it is no JSON */
};

struct memctx_qemuopt *
memctx_qemuopt_open(const char *text)
{
    struct memctx_qemuopt *opt = calloc(1, sizeof(*opt));
    if (opt == NULL)
        return NULL;
    opt->text = text;
    if (text[0] != '{')
        return opt;
    opt->object = json_tokener_parse(text);
    if (json_object_is_type(opt->object, json_type_object))
        return opt;
    memctx_qemuopt_close(opt);
    return NULL;
}

void
memctx_qemuopt_close(struct memctx_qemuopt *opt)
{
    if (opt != NULL)
        json_object_put(opt->object);
    free(opt);
}

/* Cut the next part off an option's text, up to a comma. A part that does not
 * fit is cut. */
static void
next_part(const char **text, char *part, size_t size)
{
    size_t n = 0;
    const char *at = *text;
    while (*at != '\0' && (*at != ',' || at[1] == ',')) {
        if (*at == ',')
            at++;
        if (n + 1 < size)
            part[n++] = *at;
        at++;
    }
    part[n] = '\0';
    if (*at == ',')
        at++;
    *text = at;
}

static bool
get_from_text(const char *text, const char *key, char *to, size_t size)
{
    size_t key_len = strlen(key);
    bool found = false;
    /* Bounded by the text: each turn passes one comma. */
    for (bool first = true; *text != '\0'; first = false) {
        char part[512];
        const char *value = NULL;
        next_part(&text, part, sizeof(part));
        if (key_len == 0 && first && strchr(part, '=') == NULL)
            value = part;
        else if (key_len > 0 && strncmp(part, key, key_len) == 0 &&
                 part[key_len] == '=')
            value = part + key_len + 1;
        if (value == NULL || strlen(value) >= size)
            continue;
        memcpy(to, value, strlen(value) + 1);
        found = true;
    }
    return found;
}

static bool
get_from_json(json_object *object, const char *key, char *to, size_t size)
{
    json_object *member;
    if (!json_object_object_get_ex(object, key, &member) ||
        json_object_is_type(member, json_type_object) ||
        json_object_is_type(member, json_type_array) ||
        json_object_is_type(member, json_type_null))
        return false;
    const char *value = json_object_get_string(member);
    if (value == NULL || strlen(value) >= size)
        return false;
    memcpy(to, value, strlen(value) + 1);
    return true;
}

bool
memctx_qemuopt_get(const struct memctx_qemuopt *opt, const char *key, char *to,
                   size_t size)
{
    to[0] = '\0';
    if (opt->object != NULL)
        return get_from_json(opt->object, key, to, size);
    return get_from_text(opt->text, key, to, size);
}
