/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads a datum from XML, which anybody may have put into a domain: looks for
 * each fact of the table where its path says. */
#include "datum/datum.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "datum/facts.h"
#include "datum/node.h"
#include "text/xml.h"

/* The element that a path leads to, NULL: there is none; *path is then the
 * fact's own name. Bounded: each turn passes a part of the path. */
static const xmlNode *
find(const xmlNode *at, const char **path)
{
    char name[MEMCTX_FACT_NAME_MAX];
    for (const char *rest; (rest = memctx_fact_step(*path, name)) != NULL;
         *path = rest)
        at = memctx_xml_child(at, name);
    return at;
}

/* The text of a fact: "" where it is missing, or longer than any is. */
static void
find_text(const xmlNode *node, const struct memctx_fact *fact,
          char text[MEMCTX_FACT_MAX])
{
    const char *name = fact->path;
    node = find(node, &name);
    if (name[0] == '@')
        memctx_xml_attr(node, name + 1, text, MEMCTX_FACT_MAX);
    else
        memctx_xml_text(memctx_xml_child(node, name), text, MEMCTX_FACT_MAX);
}

/* Of an optional fact that is none, nothing is known. */
static int
decode_fact(const xmlNode *node, const struct memctx_fact *fact, void *to,
            struct memctx_error *err)
{
    char text[MEMCTX_FACT_MAX];
    find_text(node, fact, text);
    if (memctx_fact_parse(fact, text, to) || fact->duty != MEMCTX_FACT_REQUIRED)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "memctx datum: %s is '%.40s', expected %s",
                            fact->path, text, memctx_fact_wanted(fact));
}

static size_t
count_elements(const xmlNode *first)
{
    size_t n = 0;
    for (; first != NULL; first = memctx_xml_next(first))
        n++;
    return n;
}

static int
decode_items(const xmlNode *element, const struct memctx_fact *list, char *item,
             struct memctx_error *err)
{
    for (; element != NULL; element = memctx_xml_next(element)) {
        for (const struct memctx_fact *f = list->list->facts; f->path != NULL;
             f++) {
            if (decode_fact(element, f, item, err) < 0)
                return memctx_error_prefix(err, "%s", list->path);
        }
        item += list->list->item_bytes;
    }
    return 0;
}

static int
decode_list(const xmlNode *root, const struct memctx_fact *fact,
            struct memctx_datum *datum, struct memctx_error *err)
{
    const struct memctx_fact_list *list = fact->list;
    const char *name = fact->path;
    const xmlNode *parent = find(root, &name);
    const xmlNode *first = memctx_xml_child(parent, name);
    size_t n = count_elements(first);
    if (n == 0 || n > list->max)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctx datum: %zu %s, expected 1 to %zu", n,
                                list->plural, list->max);
    char *items = memctx_fact_make_items(fact, datum, n);
    if (items == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return decode_items(first, fact, items, err);
}

static int
decode_all(const xmlNode *root, struct memctx_datum *datum,
           struct memctx_error *err)
{
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        int done = 0;
        if (f->is_one_way || f->type == MEMCTX_FACT_GROUP ||
            (f->os != MEMCTX_OS_UNKNOWN && f->os != datum->kernel.os))
            continue;
        if (f->type == MEMCTX_FACT_LIST)
            done = decode_list(root, f, datum, err);
        else
            done = decode_fact(root, f, datum, err);
        if (done < 0)
            return -1;
    }
    return 0;
}

int
memctx_datum_from_node(const xmlNode *node, struct memctx_datum *ret,
                       struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_datum_deinit) struct memctx_datum datum = {.low = 0};
    if (strcmp((const char *)node->name, MEMCTX_KEY) != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctx datum: element is <%.40s>, expected "
                                "<memctx>",
                                (const char *)node->name);
    if (decode_all(node, &datum, err) < 0)
        return -1;
    *ret = datum;
    datum = (struct memctx_datum){.low = 0};
    return 0;
}

int
memctx_datum_from_xml(const char *xml, size_t len_bytes,
                      struct memctx_datum *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_xml_doc) xmlDoc *doc = NULL;
    if (memctx_xml_parse(xml, len_bytes, MEMCTX_DATUM_MAX, &doc, err) < 0)
        return memctx_error_prefix(err, "memctx datum");
    return memctx_datum_from_node(xmlDocGetRootElement(doc), ret, err);
}
