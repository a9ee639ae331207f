/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The only place that calls libxml2's parser. */
#include "text/xml.h"

#include <libxml/parser.h>
#include <string.h>

/* No XML_PARSE_NOENT: entities stay unexpanded; no XML_PARSE_HUGE: libxml2's
 * own limits on depth and names hold. */
#define PARSE_OPTIONS \
    (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

void
memctx_cleanup_xml_doc(xmlDoc **doc)
{
    xmlFreeDoc(*doc);
}

static void
cleanup_context(xmlParserCtxt **context)
{
    xmlFreeParserCtxt(*context);
}

int
memctx_xml_parse(const char *xml, size_t len_bytes, size_t max_bytes,
                 xmlDoc **ret, struct memctx_error *err)
{
    if (len_bytes > max_bytes)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "XML of %zu bytes, at most %zu are read",
                                len_bytes, max_bytes);
    __attribute__((cleanup(cleanup_context))) xmlParserCtxt *context =
        xmlNewParserCtxt();
    if (context == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    __attribute__((cleanup(memctx_cleanup_xml_doc))) xmlDoc *doc =
        xmlCtxtReadMemory(context, xml, (int)len_bytes, NULL, NULL,
                          PARSE_OPTIONS);
    if (doc == NULL || xmlDocGetRootElement(doc) == NULL) {
        const xmlError *why = xmlCtxtGetLastError(context);
        return memctx_error_set(
            err, MEMCTX_PERMANENT, "not well-formed XML, line %d: %.80s",
            why != NULL ? why->line : 0, why != NULL ? why->message : "empty");
    }
    if (xmlGetIntSubset(doc) != NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "XML with a document type is refused");
    *ret = doc;
    doc = NULL;
    return 0;
}

static bool
is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE &&
           strcmp((const char *)node->name, name) == 0;
}

xmlNode *
memctx_xml_child(const xmlNode *parent, const char *name)
{
    for (xmlNode *n = parent != NULL ? parent->children : NULL; n != NULL;
         n = n->next) {
        if (is_element(n, name))
            return n;
    }
    return NULL;
}

xmlNode *
memctx_xml_next(const xmlNode *node)
{
    for (xmlNode *n = node->next; n != NULL; n = n->next) {
        if (is_element(n, (const char *)node->name))
            return n;
    }
    return NULL;
}

static bool
take_string(xmlChar *text, char *to, size_t size)
{
    size_t len = text != NULL ? strlen((const char *)text) : size;
    bool fits = len < size;
    if (fits)
        memcpy(to, text, len + 1);
    else
        to[0] = '\0';
    xmlFree(text);
    return fits;
}

bool
memctx_xml_attr(const xmlNode *node, const char *name, char *to, size_t size)
{
    to[0] = '\0';
    if (node == NULL)
        return false;
    return take_string(xmlGetNoNsProp(node, (const xmlChar *)name), to, size);
}

bool
memctx_xml_text(const xmlNode *node, char *to, size_t size)
{
    to[0] = '\0';
    if (node == NULL)
        return false;
    return take_string(xmlNodeGetContent(node), to, size);
}

/* The first of these siblings that is more than blanks between elements. */
static const xmlNode *
skip_blanks(const xmlNode *node)
{
    while (node != NULL && xmlIsBlankNode(node))
        node = node->next;
    return node;
}

/* The node that follows in the text of the document below `top`, and how much
 * deeper it stands; NULL: there is none. */
static const xmlNode *
next_below(const xmlNode *top, const xmlNode *node, int *deeper)
{
    const xmlNode *next =
        node->type == XML_ELEMENT_NODE ? skip_blanks(node->children) : NULL;
    *deeper = next != NULL;
    while (next == NULL && node != top) {
        next = skip_blanks(node->next);
        node = node->parent;
        *deeper -= next == NULL;
    }
    return next;
}

static bool
is_same_attr(const xmlAttr *a, const xmlAttr *b)
{
    xmlChar *x = xmlNodeListGetString(a->doc, a->children, 1);
    xmlChar *y = xmlNodeListGetString(b->doc, b->children, 1);
    bool same = xmlStrEqual(a->name, b->name) && xmlStrEqual(x, y);
    xmlFree(x);
    xmlFree(y);
    return same;
}

/* Without what is below them. */
static bool
is_same_node(const xmlNode *a, const xmlNode *b)
{
    if (a->type != b->type || !xmlStrEqual(a->name, b->name))
        return false;
    if (a->type != XML_ELEMENT_NODE)
        return xmlStrEqual(a->content, b->content);
    const xmlAttr *x = a->properties;
    const xmlAttr *y = b->properties;
    for (; x != NULL && y != NULL && is_same_attr(x, y); x = x->next)
        y = y->next;
    return x == NULL && y == NULL;
}

bool
memctx_xml_is_same(const xmlNode *a, const xmlNode *b)
{
    const xmlNode *x = a;
    const xmlNode *y = b;
    int x_deeper = 0;
    int y_deeper = 0;
    while (x != NULL && y != NULL && x_deeper == y_deeper &&
           is_same_node(x, y)) {
        x = next_below(a, x, &x_deeper);
        y = next_below(b, y, &y_deeper);
    }
    return x == NULL && y == NULL;
}
