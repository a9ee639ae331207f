/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads a datum from XML, which anybody may have put into a domain. */
#include "datum/datum.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "datum/node.h"
#include "text/xml.h"

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
    kernel->os = memctx_os_from_name(os);
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
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
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
    facts->has_kimage_voffset =
        memctx_xml_attr(node, "kimage_voffset", text, sizeof(text)) &&
        parse_number(text, &facts->kimage_voffset);
    memctx_xml_attr(node, "phys_base", text, sizeof(text));
    bool negative = text[0] == '-';
    facts->has_phys_base = parse_number(text + negative, &value);
    if (facts->has_phys_base)
        facts->phys_base = (int64_t)(negative ? -value : value);
    const xmlNode *info = memctx_xml_child(node, "vmcoreinfo");
    facts->vmcoreinfo_gpa = optional_number(info, "gpa");
    facts->vmcoreinfo_size = optional_count(info, "size");
}

static uint16_t
optional_offset(const xmlNode *node, const char *name)
{
    uint64_t value = optional_number(node, name);
    return value <= UINT16_MAX ? (uint16_t)value : 0;
}

/* Processes are for people; nobody reads them back. */
static void
decode_windows(const xmlNode *root, struct memctx_kernel *kernel)
{
    const xmlNode *node = memctx_xml_child(root, "windows");
    const xmlNode *offsets = memctx_xml_child(node, "offsets");
    kernel->first_process_gva = optional_number(node, "system_eprocess");
    kernel->windows_facts.offsets = (struct memctx_windows_offsets){
        .dtb = optional_offset(offsets, "dtb"),
        .pid = optional_offset(offsets, "pid"),
        .links = optional_offset(offsets, "links"),
        .image_name = optional_offset(offsets, "image_name"),
        .user_dtb = optional_offset(offsets, "user_dtb"),
    };
}

/* The one of two constant words that the attribute has; NULL: none. */
static const char *
optional_word(const xmlNode *node, const char *name, const char *const words[2])
{
    char value[16] = "";
    memctx_xml_attr(node, name, value, sizeof(value));
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(value, words[i]) == 0)
            return words[i];
    }
    return NULL;
}

static void
decode_rest(const xmlNode *root, struct memctx_datum *datum)
{
    static const char *const lives[] = {"yes", "unknown"};
    static const char *const layouts[] = {"proven", "assumed"};
    struct memctx_kernel *kernel = &datum->kernel;
    const xmlNode *image = memctx_xml_child(root, "kernel");
    const xmlNode *evidence = memctx_xml_child(root, "evidence");
    datum->generation = optional_count(root, "generation");
    memctx_xml_attr(root, "published", datum->published,
                    sizeof(datum->published));
    kernel->base_gva = optional_number(image, "base");
    kernel->size_bytes = optional_number(image, "size");
    if (kernel->os == MEMCTX_OS_LINUX)
        decode_linux(root, &kernel->linux_facts);
    if (kernel->os == MEMCTX_OS_WINDOWS)
        decode_windows(root, kernel);
    memctx_xml_attr(evidence, "found", kernel->found, sizeof(kernel->found));
    memctx_xml_attr(evidence, "checks", kernel->checks, sizeof(kernel->checks));
    datum->attempts = optional_count(evidence, "attempts");
    datum->candidates = optional_count(evidence, "candidates");
    datum->live = optional_word(evidence, "live", lives);
    datum->layout = optional_word(evidence, "layout", layouts);
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
