/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes the datum as JSON: goes through the table of facts. Element and
 * attribute names are keys, addresses and sizes stay strings as in the XML,
 * counts are numbers. */
#include "datum/datum.h"

#include <json-c/json.h>
#include <string.h>

#include "base/cleanup.h"
#include "datum/facts.h"
#include "text/jsonguard.h"

static json_object *
add(json_object *to, const char *key, json_object *member)
{
    json_object_object_add(to, key, member);
    return member;
}

/* The object that a path leads to, which is made unless it is there; *path is
 * then the key of the fact. Bounded: each turn passes a part of the path. */
static json_object *
enter(json_object *at, const char **path)
{
    char name[MEMCTX_FACT_NAME_MAX];
    for (const char *rest; (rest = memctx_fact_step(*path, name)) != NULL;
         *path = rest) {
        json_object *child;
        if (!json_object_object_get_ex(at, name, &child))
            child = add(at, name, json_object_new_object());
        at = child;
    }
    *path += **path == '@';
    return at;
}

/* "a,b,c" as an array of strings. */
static json_object *
array_of(const char *names)
{
    json_object *array = json_object_new_array();
    while (*names != '\0') {
        size_t len = strcspn(names, ",");
        json_object_array_add(array,
                              json_object_new_string_len(names, (int)len));
        names += len + (names[len] == ',');
    }
    return array;
}

static void
add_fact(json_object *object, const struct memctx_fact *fact, const void *from)
{
    char text[MEMCTX_FACT_MAX];
    const char *key = fact->path;
    if (!memctx_fact_print(fact, from, text))
        return;
    object = enter(object, &key);
    if (fact->type == MEMCTX_FACT_COUNT)
        add(object, key, json_object_new_uint64(memctx_fact_count(fact, from)));
    else if (fact->type == MEMCTX_FACT_NAMES)
        add(object, key, array_of(text));
    else
        add(object, key, json_object_new_string(text));
}

static void
add_list(json_object *root, const struct memctx_fact *fact,
         const struct memctx_datum *datum)
{
    size_t n;
    const char *item = memctx_fact_items(fact, datum, &n);
    const char *name = fact->path;
    if (n == 0 && fact->duty == MEMCTX_FACT_OPTIONAL)
        return;
    json_object *parent = enter(root, &name);
    json_object *array =
        add(parent, fact->list->plural, json_object_new_array());
    for (size_t i = 0; i < n; i++, item += fact->list->item_bytes) {
        json_object *object = json_object_new_object();
        for (const struct memctx_fact *f = fact->list->facts; f->path != NULL;
             f++)
            add_fact(object, f, item);
        json_object_array_add(array, object);
    }
}

static void
add_group(json_object *root, const struct memctx_fact *fact)
{
    const char *key = fact->path;
    json_object *parent = enter(root, &key);
    add(parent, key, json_object_new_object());
}

int
memctx_datum_to_json(const struct memctx_datum *datum, char **ret,
                     struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *root = json_object_new_object();
    if (root == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        if (!memctx_fact_applies(f, datum, MEMCTX_PRIVATE))
            continue;
        if (f->type == MEMCTX_FACT_LIST)
            add_list(root, f, datum);
        else if (f->type == MEMCTX_FACT_GROUP)
            add_group(root, f);
        else
            add_fact(root, f, datum);
    }
    const char *text = json_object_to_json_string_ext(
        root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    char *copy = text != NULL ? strdup(text) : NULL;
    if (copy == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *ret = copy;
    return 0;
}
