/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes the datum as XML. What it may hold is fixed by memctx.rng. */
#include "datum/datum.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "text/xml.h"

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
    if (facts->has_kimage_voffset)
        set_hex(node, "kimage_voffset", facts->kimage_voffset);
    if (facts->has_phys_base)
        set_attr(node, "phys_base", "%s0x%" PRIx64, negative ? "-" : "", size);
    if (facts->vmcoreinfo_size == 0)
        return;
    xmlNode *info = add_element(node, "vmcoreinfo");
    set_hex(info, "gpa", facts->vmcoreinfo_gpa);
    set_attr(info, "size", "%" PRIu32, facts->vmcoreinfo_size);
}

/* An attribute for an offset that is known. */
static void
set_offset(xmlNode *node, const char *name, uint64_t offset)
{
    if (offset != 0)
        set_hex(node, name, offset);
}

static void
set_time(xmlNode *node, const char *name, uint64_t windows_time)
{
    char text[MEMCTX_DATUM_TIME_MAX];
    if (memctx_datum_windows_time(windows_time, text))
        set_attr(node, name, "%s", text);
}

static void
add_windows(xmlNode *root, const struct memctx_datum *datum)
{
    const struct memctx_windows_facts *facts = &datum->kernel.windows_facts;
    xmlNode *node = add_element(root, "windows");
    set_hex(node, "system_eprocess", datum->kernel.first_process_gva);
    set_time(node, "system_time", datum->kernel.wall_clock.time);
    xmlNode *offsets = add_element(node, "offsets");
    set_offset(offsets, "dtb", facts->offsets.dtb);
    set_offset(offsets, "pid", facts->offsets.pid);
    set_offset(offsets, "links", facts->offsets.links);
    set_offset(offsets, "image_name", facts->offsets.image_name);
    set_offset(offsets, "user_dtb", facts->offsets.user_dtb);
    for (size_t i = 0; i < datum->n_processes; i++) {
        const struct memctx_process *p = &datum->processes[i];
        xmlNode *process = add_element(node, "process");
        set_attr(process, "pid", "%" PRIu64, p->pid);
        set_attr(process, "name", "%s", p->name);
        set_hex(process, "dtb", p->root_gpa);
        set_hex(process, "eprocess", p->gva);
    }
}

/* A kernel that passed all checks, too, and is not the answer. */
static void
add_other(xmlNode *evidence, const struct memctx_kernel *kernel)
{
    xmlNode *node = add_element(evidence, "other");
    set_hex(node, "kcr3", kernel->kcr3);
    set_attr(node, "paging", "%s", memctx_paging_name(kernel->paging));
    set_attr(node, "os", "%s", memctx_os_name(kernel->os));
    set_attr(node, "version", "%s", kernel->version);
    if (kernel->identity[0] != '\0')
        set_attr(node, "identity", "%s", kernel->identity);
    set_time(node, "system_time", kernel->wall_clock.time);
    set_attr(node, "found", "%s", kernel->found);
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
    if (datum->layout != NULL)
        set_attr(node, "layout", "%s", datum->layout);
    if (datum->candidates != 0)
        set_attr(node, "candidates", "%u", datum->candidates);
    if (datum->chosen != NULL)
        set_attr(node, "chosen", "%s", datum->chosen);
    for (size_t i = 0; i < datum->n_others; i++)
        add_other(node, &datum->others[i]);
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
        if (datum->kernel.os == MEMCTX_OS_WINDOWS)
            add_windows(root, datum);
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
