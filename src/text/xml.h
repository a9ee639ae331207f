/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parsing of XML from outside by libxml2, without network, entities, error
 * output or deep trees; and the few look-ups that we need. */
#ifndef MEMCTX_XML_H
#define MEMCTX_XML_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Parse len_bytes, at most max_bytes. 0 and *ret, which the caller frees with
 * xmlFreeDoc(); -1 with PERMANENT: too long, not well formed (the message says
 * in which line), a document type. Any thread. */
int memctx_xml_parse(const char *xml, size_t len_bytes, size_t max_bytes,
                     xmlDoc **ret, struct memctx_error *err);

/* First child element of this local name, of any namespace; NULL: none. */
xmlNode *memctx_xml_child(const xmlNode *parent, const char *name);

/* The next sibling of the same local name. */
xmlNode *memctx_xml_next(const xmlNode *node);

/* Copy an attribute, or the text of an element, into `to`; false when it is
 * absent or longer than size - 1 bytes, `to` is "" then. */
bool memctx_xml_attr(const xmlNode *node, const char *name, char *to,
                     size_t size);
bool memctx_xml_text(const xmlNode *node, char *to, size_t size);

/* Do both elements hold the same: names, attributes in their order, texts and
 * children? Prefixes of namespaces and blanks between elements do not count. */
bool memctx_xml_is_same(const xmlNode *a, const xmlNode *b);

void memctx_cleanup_xml_doc(xmlDoc **doc);

#endif
