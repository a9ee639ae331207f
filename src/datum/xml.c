/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes the datum as XML: goes through the table of facts and puts each where
 * its path says. What it may hold is fixed by memctx.rng. */
#include "datum/datum.h"

#include <string.h>

#include "base/cleanup.h"
#include "datum/facts.h"
#include "text/xml.h"

static xmlNode *
add_element(xmlNode *parent, const char *name)
{
    return xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
}

/* The element that a path leads to, which is made unless it is there; *path is
 * then the fact's own name. Bounded: each turn passes a part of the path. */
static xmlNode *
enter(xmlNode *at, const char **path)
{
    char name[MEMCTX_FACT_NAME_MAX];
    for (const char *rest; (rest = memctx_fact_step(*path, name)) != NULL;
         *path = rest) {
        xmlNode *child = memctx_xml_child(at, name);
        at = child != NULL ? child : add_element(at, name);
    }
    return at;
}

/* "@name" is an attribute, "name" the text of an element. */
static void
add_fact(xmlNode *node, const struct memctx_fact *fact, const void *from)
{
    char text[MEMCTX_FACT_MAX];
    const char *name = fact->path;
    if (!memctx_fact_print(fact, from, text))
        return;
    node = enter(node, &name);
    if (name[0] == '@')
        xmlNewProp(node, (const xmlChar *)name + 1, (const xmlChar *)text);
    else
        xmlNewTextChild(node, NULL, (const xmlChar *)name,
                        (const xmlChar *)text);
}

static void
add_list(xmlNode *root, const struct memctx_fact *fact,
         const struct memctx_datum *datum)
{
    size_t n;
    const char *item = memctx_fact_items(fact, datum, &n);
    const char *name = fact->path;
    xmlNode *parent = enter(root, &name);
    for (size_t i = 0; i < n; i++, item += fact->list->item_bytes) {
        xmlNode *node = add_element(parent, name);
        for (const struct memctx_fact *f = fact->list->facts; f->path != NULL;
             f++)
            add_fact(node, f, item);
    }
}

static void
add_group(xmlNode *root, const struct memctx_fact *fact)
{
    const char *name = fact->path;
    xmlNode *parent = enter(root, &name);
    add_element(parent, name);
}

static xmlNode *
build(const struct memctx_datum *datum, enum memctx_audience audience)
{
    xmlNode *root = xmlNewNode(NULL, (const xmlChar *)MEMCTX_KEY);
    if (root == NULL)
        return NULL;
    for (const struct memctx_fact *f = memctx_facts; f->path != NULL; f++) {
        if (!memctx_fact_applies(f, datum, audience))
            continue;
        if (f->type == MEMCTX_FACT_LIST)
            add_list(root, f, datum);
        else if (f->type == MEMCTX_FACT_GROUP)
            add_group(root, f);
        else
            add_fact(root, f, datum);
    }
    return root;
}

static void
cleanup_buffer(xmlBuffer **buffer)
{
    xmlBufferFree(*buffer);
}

int
memctx_datum_to_xml(const struct memctx_datum *datum,
                    enum memctx_audience audience, char **ret,
                    struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_xml_doc)
    xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    MEMCTX_CLEANUP(cleanup_buffer) xmlBuffer *buffer = xmlBufferCreate();
    xmlNode *root = doc != NULL ? build(datum, audience) : NULL;
    if (buffer == NULL || root == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    xmlDocSetRootElement(doc, root);
    if (xmlNodeDump(buffer, doc, root, 0, 1) < 0)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    char *text = strdup((const char *)xmlBufferContent(buffer));
    if (text == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *ret = text;
    return 0;
}
