/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes facts out of domain XML; asks nobody whether they are true. */
#include "domain/domxml.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "datum/node.h"
#include "domain/domxml_memory.h"
#include "text/xml.h"

static int
parse_id(const xmlNode *domain)
{
    char text[16];
    uint64_t id;
    memctx_xml_attr(domain, "id", text, sizeof(text));
    return memctx_number_parse_decimal(text, INT32_MAX, &id) ? (int)id : -1;
}

/* Any launchSecurity, also a type of tomorrow, means RAM that the host cannot
 * read as the guest sees it. */
static void
parse_encryption(const xmlNode *domain, struct memctx_domxml *facts)
{
    const xmlNode *security = memctx_xml_child(domain, "launchSecurity");
    if (security != NULL &&
        (!memctx_xml_attr(security, "type", facts->encrypted,
                          sizeof(facts->encrypted)) ||
         facts->encrypted[0] == '\0'))
        strcpy(facts->encrypted, "unknown");
}

static bool
is_ours(const xmlNode *node)
{
    return node->ns != NULL && node->ns->href != NULL &&
           strcmp((const char *)node->ns->href, MEMCTX_URI) == 0;
}

/* The first that decodes counts. One that does not is a datum all the same: it
 * stands there, and somebody may read it. */
static void
parse_metadata(const xmlNode *domain, struct memctx_domxml *facts)
{
    const xmlNode *metadata = memctx_xml_child(domain, "metadata");
    bool there = false;
    for (xmlNode *n = memctx_xml_child(metadata, MEMCTX_KEY);
         n != NULL && !facts->has_datum; n = memctx_xml_next(n)) {
        if (!is_ours(n))
            continue;
        there = true;
        facts->has_datum = memctx_datum_from_node(n, &facts->datum, NULL) == 0;
    }
    facts->has_datum = there;
}

/* The UUID becomes part of a file's name, so it is looked at closely. */
static bool
is_uuid(const char *text)
{
    for (size_t i = 0; i < MEMCTX_UUID_TEXT_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[MEMCTX_UUID_TEXT_LEN] == '\0';
}

/* libvirt gives a name and a UUID to what is defined; a draft may leave the
 * UUID to it. */
static int
parse_identity(const xmlNode *domain, bool is_draft, struct memctx_domxml *ret,
               struct memctx_error *err)
{
    const xmlNode *uuid = memctx_xml_child(domain, "uuid");
    if (!memctx_xml_text(memctx_xml_child(domain, "name"), ret->name,
                         sizeof(ret->name)) ||
        ret->name[0] == '\0')
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "domain XML: no usable <name>");
    if (uuid == NULL && is_draft)
        return 0;
    if (!memctx_xml_text(uuid, ret->uuid, sizeof(ret->uuid)) ||
        !is_uuid(ret->uuid))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "domain XML: no usable <uuid>");
    return 0;
}

static int
parse(const char *xml, size_t len_bytes, bool is_draft,
      struct memctx_domxml *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_xml_doc) xmlDoc *doc = NULL;
    if (memctx_xml_parse(xml, len_bytes, MEMCTX_DOMXML_MAX, &doc, err) < 0)
        return memctx_error_prefix(err, "domain XML");
    const xmlNode *domain = xmlDocGetRootElement(doc);
    if (strcmp((const char *)domain->name, "domain") != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "domain XML: root element is <%.40s>, expected "
                                "<domain>",
                                (const char *)domain->name);
    struct memctx_domxml facts = {.id = parse_id(domain)};
    if (parse_identity(domain, is_draft, &facts, err) < 0)
        return -1;
    const xmlNode *os = memctx_xml_child(domain, "os");
    memctx_xml_attr(memctx_xml_child(os, "type"), "arch", facts.arch,
                    sizeof(facts.arch));
    if (memctx_domxml_memory(domain, &facts.memory, err) < 0)
        return memctx_error_prefix(err, "domain XML");
    parse_encryption(domain, &facts);
    parse_metadata(domain, &facts);
    *ret = facts;
    return 0;
}

int
memctx_domxml_parse(const char *xml, size_t len_bytes,
                    struct memctx_domxml *ret, struct memctx_error *err)
{
    return parse(xml, len_bytes, false, ret, err);
}

int
memctx_domxml_parse_draft(const char *xml, size_t len_bytes,
                          struct memctx_domxml *ret, struct memctx_error *err)
{
    return parse(xml, len_bytes, true, ret, err);
}

void
memctx_domxml_deinit(struct memctx_domxml *facts)
{
    if (facts->has_datum)
        memctx_datum_deinit(&facts->datum);
    facts->has_datum = false;
}
