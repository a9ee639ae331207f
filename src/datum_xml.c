/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum as XML, both ways. What it may hold is fixed by memctx.rng. */
#include "datum.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"
#include "datum_node.h"
#include "xml.h"

static void set_attr(xmlNode *node, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
set_attr(xmlNode *node, const char *name, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)text);
}

static void
set_hex(xmlNode *node, const char *name, uint64_t value)
{
    set_attr(node, name, "0x%" PRIx64, value);
}

static xmlNode *
add_element(xmlNode *parent, const char *name)
{
    return xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
}

static void
add_text(xmlNode *parent, const char *name, const char *text)
{
    xmlNewTextChild(parent, NULL, (const xmlChar *)name, (const xmlChar *)text);
}

static void
add_hex(xmlNode *parent, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "0x%" PRIx64, value);
    add_text(parent, name, text);
}

static void
add_guest(xmlNode *root, const struct memctx_kernel *kernel)
{
    xmlNode *guest = add_element(root, "guest");
    set_attr(guest, "os", "%s", memctx_os_name(kernel->os));
    set_attr(guest, "version", "%s", kernel->version);
    if (kernel->identity[0] != '\0')
        set_attr(guest, "identity", "%s", kernel->identity);
}

static void
add_ram(xmlNode *root, const struct memctx_datum *datum)
{
    xmlNode *ram = add_element(root, "ram");
    set_hex(ram, "size", datum->ram_size);
    for (size_t i = 0; i < datum->n_extents; i++) {
        const struct memctx_datum_extent *e = &datum->extents[i];
        xmlNode *extent = add_element(ram, "extent");
        set_hex(extent, "gpa", e->gpa);
        set_hex(extent, "size", e->size);
        set_attr(extent, "backend", "%s", e->backend);
        set_hex(extent, "offset", e->offset);
    }
}

static void
add_kernel(xmlNode *root, const struct memctx_kernel *kernel)
{
    xmlNode *node = add_element(root, "kernel");
    set_hex(node, "base", kernel->base_gva);
    if (kernel->size_bytes != 0)
        set_hex(node, "size", kernel->size_bytes);
}

static void
add_linux(xmlNode *root, const struct memctx_linux_facts *facts)
{
    xmlNode *node = add_element(root, "linux");
    bool negative = facts->phys_base < 0;
    uint64_t size =
        negative ? -(uint64_t)facts->phys_base : (uint64_t)facts->phys_base;
    if (facts->has_kaslr_offset)
        set_hex(node, "kaslr_offset", facts->kaslr_offset);
    set_attr(node, "phys_base", "%s0x%" PRIx64, negative ? "-" : "", size);
    xmlNode *info = add_element(node, "vmcoreinfo");
    set_hex(info, "gpa", facts->vmcoreinfo_gpa);
    set_attr(info, "size", "%" PRIu32, facts->vmcoreinfo_size);
}

static void
add_evidence(xmlNode *root, const struct memctx_datum *datum)
{
    xmlNode *node = add_element(root, "evidence");
    set_attr(node, "found", "%s", datum->kernel.found);
    set_attr(node, "checks", "%s", datum->kernel.checks);
    if (datum->attempts != 0)
        set_attr(node, "attempts", "%u", datum->attempts);
    if (datum->live != NULL)
        set_attr(node, "live", "%s", datum->live);
    if (datum->candidates != 0)
        set_attr(node, "candidates", "%u", datum->candidates);
}

static xmlNode *
build(const struct memctx_datum *datum, enum memctx_audience audience)
{
    xmlNode *root = xmlNewNode(NULL, (const xmlChar *)MEMCTX_KEY);
    if (root == NULL)
        return NULL;
    if (datum->generation != 0)
        set_attr(root, "generation", "%u", datum->generation);
    if (datum->published[0] != '\0')
        set_attr(root, "published", "%s", datum->published);
    add_hex(root, "kcr3", datum->kernel.kcr3);
    add_hex(root, "low", datum->low);
    add_text(root, "paging", memctx_paging_name(datum->kernel.paging));
    add_guest(root, &datum->kernel);
    add_ram(root, datum);
    if (audience == MEMCTX_PRIVATE && datum->kernel.base_gva != 0) {
        add_kernel(root, &datum->kernel);
        if (datum->kernel.os == MEMCTX_OS_LINUX)
            add_linux(root, &datum->kernel.linux_facts);
    }
    add_evidence(root, datum);
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
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    xmlDocSetRootElement(doc, root);
    if (xmlNodeDump(buffer, doc, root, 0, 1) < 0)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    char *text = strdup((const char *)xmlBufferContent(buffer));
    if (text == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    *ret = text;
    return 0;
}

/* A number as we write it: 0x hex for addresses, decimal for counts. */
static bool
parse_number(const char *text, uint64_t *ret)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    int base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    if (errno != 0 || *end != '\0')
        return false;
    *ret = value;
    return true;
}

static int
need_number(const char *text, const char *what, uint64_t *ret,
            struct memctx_error *err)
{
    if (!parse_number(text, ret))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctx datum: %s is missing or no number: "
                                "'%.40s'",
                                what, text);
    return 0;
}

static int
element_number(const xmlNode *root, const char *name, uint64_t *ret,
               struct memctx_error *err)
{
    char text[32];
    memctx_xml_text(memctx_xml_child(root, name), text, sizeof(text));
    return need_number(text, name, ret, err);
}

static int
attr_number(const xmlNode *node, const char *name, uint64_t *ret,
            struct memctx_error *err)
{
    char text[32];
    memctx_xml_attr(node, name, text, sizeof(text));
    return need_number(text, name, ret, err);
}

/* A number that may be absent; 0 then, or when it is none. */
static uint64_t
optional_number(const xmlNode *node, const char *name)
{
    char text[32];
    uint64_t value;
    memctx_xml_attr(node, name, text, sizeof(text));
    return parse_number(text, &value) ? value : 0;
}

/* The same for a count. */
static unsigned
optional_count(const xmlNode *node, const char *name)
{
    uint64_t value = optional_number(node, name);
    return value <= UINT_MAX ? (unsigned)value : 0;
}

static int
decode_guest(const xmlNode *root, struct memctx_kernel *kernel,
             struct memctx_error *err)
{
    const xmlNode *guest = memctx_xml_child(root, "guest");
    char os[16];
    memctx_xml_attr(guest, "os", os, sizeof(os));
    for (unsigned i = 1; i < MEMCTX_OSES; i++) {
        if (strcmp(os, memctx_os_name((enum memctx_os)i)) == 0)
            kernel->os = (enum memctx_os)i;
    }
    if (kernel->os == MEMCTX_OS_UNKNOWN)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctx datum: guest/@os is '%s', expected "
                                "linux or windows",
                                os);
    memctx_xml_attr(guest, "version", kernel->version, sizeof(kernel->version));
    memctx_xml_attr(guest, "identity", kernel->identity,
                    sizeof(kernel->identity));
    return 0;
}

static int
decode_paging(const xmlNode *root, struct memctx_kernel *kernel,
              struct memctx_error *err)
{
    char text[32];
    memctx_xml_text(memctx_xml_child(root, "paging"), text, sizeof(text));
    kernel->paging = memctx_paging_from_name(text);
    if (kernel->paging == MEMCTX_PAGING_UNKNOWN)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctx datum: paging '%s' is not known", text);
    return 0;
}

static int
decode_extent(const xmlNode *node, struct memctx_datum_extent *ret,
              struct memctx_error *err)
{
    memctx_xml_attr(node, "backend", ret->backend, sizeof(ret->backend));
    if (attr_number(node, "gpa", &ret->gpa, err) < 0 ||
        attr_number(node, "size", &ret->size, err) < 0 ||
        attr_number(node, "offset", &ret->offset, err) < 0)
        return memctx_error_prefix(err, "extent");
    return 0;
}

static int
decode_ram(const xmlNode *root, struct memctx_datum *datum,
           struct memctx_error *err)
{
    const xmlNode *ram = memctx_xml_child(root, "ram");
    size_t n = 0;
    if (attr_number(ram, "size", &datum->ram_size, err) < 0)
        return memctx_error_prefix(err, "ram");
    for (xmlNode *e = memctx_xml_child(ram, "extent"); e != NULL;
         e = memctx_xml_next(e))
        n++;
    if (n == 0 || n > MEMCTX_EXTENTS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctx datum: %zu extents, expected 1 to %d",
                                n, MEMCTX_EXTENTS_MAX);
    datum->extents = calloc(n, sizeof(datum->extents[0]));
    if (datum->extents == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "out of memory");
    for (xmlNode *e = memctx_xml_child(ram, "extent"); e != NULL;
         e = memctx_xml_next(e)) {
        if (decode_extent(e, &datum->extents[datum->n_extents], err) < 0)
            return -1;
        datum->n_extents++;
    }
    return 0;
}

static void
decode_linux(const xmlNode *root, struct memctx_linux_facts *facts)
{
    const xmlNode *node = memctx_xml_child(root, "linux");
    char text[32];
    uint64_t value;
    facts->has_kaslr_offset =
        memctx_xml_attr(node, "kaslr_offset", text, sizeof(text)) &&
        parse_number(text, &facts->kaslr_offset);
    memctx_xml_attr(node, "phys_base", text, sizeof(text));
    bool negative = text[0] == '-';
    if (parse_number(text + negative, &value))
        facts->phys_base = (int64_t)(negative ? -value : value);
    const xmlNode *info = memctx_xml_child(node, "vmcoreinfo");
    facts->vmcoreinfo_gpa = optional_number(info, "gpa");
    facts->vmcoreinfo_size = optional_count(info, "size");
}

static void
decode_rest(const xmlNode *root, struct memctx_datum *datum)
{
    static const char *const lives[] = {"yes", "unknown"};
    struct memctx_kernel *kernel = &datum->kernel;
    const xmlNode *image = memctx_xml_child(root, "kernel");
    const xmlNode *evidence = memctx_xml_child(root, "evidence");
    char live[16];
    datum->generation = optional_count(root, "generation");
    memctx_xml_attr(root, "published", datum->published,
                    sizeof(datum->published));
    kernel->base_gva = optional_number(image, "base");
    kernel->size_bytes = optional_number(image, "size");
    if (kernel->os == MEMCTX_OS_LINUX)
        decode_linux(root, &kernel->linux_facts);
    memctx_xml_attr(evidence, "found", kernel->found, sizeof(kernel->found));
    memctx_xml_attr(evidence, "checks", kernel->checks, sizeof(kernel->checks));
    datum->attempts = optional_count(evidence, "attempts");
    datum->candidates = optional_count(evidence, "candidates");
    memctx_xml_attr(evidence, "live", live, sizeof(live));
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lives); i++) {
        if (strcmp(live, lives[i]) == 0)
            datum->live = lives[i];
    }
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
    if (element_number(node, "kcr3", &datum.kernel.kcr3, err) < 0 ||
        element_number(node, "low", &datum.low, err) < 0 ||
        decode_paging(node, &datum.kernel, err) < 0 ||
        decode_guest(node, &datum.kernel, err) < 0 ||
        decode_ram(node, &datum, err) < 0)
        return -1;
    decode_rest(node, &datum);
    *ret = datum;
    datum.extents = NULL;
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
