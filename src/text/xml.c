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
