/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The datum as JSON: element and attribute names are keys, addresses and sizes
 * stay strings as in the XML, counts are numbers. */
#include "datum/datum.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "text/jsonguard.h"

static void
add_string(json_object *to, const char *key, const char *text)
{
    json_object_object_add(to, key, json_object_new_string(text));
}

static void
add_hex(json_object *to, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "0x%" PRIx64, value);
    add_string(to, key, text);
}

static void
add_count(json_object *to, const char *key, uint64_t value)
{
    json_object_object_add(to, key, json_object_new_uint64(value));
}

static json_object *
add_object(json_object *to, const char *key)
{
    json_object *object = json_object_new_object();
    json_object_object_add(to, key, object);
    return object;
}

static json_object *
add_array(json_object *to, const char *key)
{
    json_object *array = json_object_new_array();
    json_object_object_add(to, key, array);
    return array;
}

static void
add_guest(json_object *root, const struct memctx_kernel *kernel)
{
    json_object *guest = add_object(root, "guest");
    add_string(guest, "os", memctx_os_name(kernel->os));
    add_string(guest, "version", kernel->version);
    if (kernel->identity[0] != '\0')
        add_string(guest, "identity", kernel->identity);
}

static void
add_ram(json_object *root, const struct memctx_datum *datum)
{
    json_object *ram = add_object(root, "ram");
    add_hex(ram, "size", datum->ram_size);
    json_object *extents = add_array(ram, "extents");
    for (size_t i = 0; i < datum->n_extents; i++) {
        const struct memctx_datum_extent *e = &datum->extents[i];
        json_object *extent = json_object_new_object();
        add_hex(extent, "gpa", e->gpa);
        add_hex(extent, "size", e->size);
        add_string(extent, "backend", e->backend);
        add_hex(extent, "offset", e->offset);
        json_object_array_add(extents, extent);
    }
}

static void
add_kernel(json_object *root, const struct memctx_kernel *kernel)
{
    json_object *image = add_object(root, "kernel");
    add_hex(image, "base", kernel->base_gva);
    if (kernel->size_bytes != 0)
        add_hex(image, "size", kernel->size_bytes);
}

static void
add_linux(json_object *root, const struct memctx_linux_facts *facts)
{
    json_object *node = add_object(root, "linux");
    char text[24];
    bool negative = facts->phys_base < 0;
    snprintf(text, sizeof(text), "%s0x%" PRIx64, negative ? "-" : "",
             negative ? -(uint64_t)facts->phys_base
                      : (uint64_t)facts->phys_base);
    if (facts->has_kaslr_offset)
        add_hex(node, "kaslr_offset", facts->kaslr_offset);
    if (facts->has_kimage_voffset)
        add_hex(node, "kimage_voffset", facts->kimage_voffset);
    if (facts->has_phys_base)
        add_string(node, "phys_base", text);
    if (facts->vmcoreinfo_size == 0)
        return;
    json_object *info = add_object(node, "vmcoreinfo");
    add_hex(info, "gpa", facts->vmcoreinfo_gpa);
    add_count(info, "size", facts->vmcoreinfo_size);
}

static void
add_offset(json_object *to, const char *key, uint64_t offset)
{
    if (offset != 0)
        add_hex(to, key, offset);
}

static void
add_time(json_object *to, const char *key, uint64_t windows_time)
{
    char text[MEMCTX_DATUM_TIME_MAX];
    if (memctx_datum_windows_time(windows_time, text))
        add_string(to, key, text);
}

static void
add_processes(json_object *node, const struct memctx_datum *datum)
{
    json_object *processes = add_array(node, "processes");
    for (size_t i = 0; i < datum->n_processes; i++) {
        const struct memctx_process *p = &datum->processes[i];
        json_object *process = json_object_new_object();
        add_count(process, "pid", p->pid);
        add_string(process, "name", p->name);
        add_hex(process, "dtb", p->root_gpa);
        add_hex(process, "eprocess", p->gva);
        json_object_array_add(processes, process);
    }
}

static void
add_windows(json_object *root, const struct memctx_datum *datum)
{
    const struct memctx_windows_facts *facts = &datum->kernel.windows_facts;
    json_object *node = add_object(root, "windows");
    add_hex(node, "system_eprocess", datum->kernel.first_process_gva);
    add_time(node, "system_time", datum->kernel.wall_clock.time);
    json_object *offsets = add_object(node, "offsets");
    add_offset(offsets, "dtb", facts->offsets.dtb);
    add_offset(offsets, "pid", facts->offsets.pid);
    add_offset(offsets, "links", facts->offsets.links);
    add_offset(offsets, "image_name", facts->offsets.image_name);
    add_offset(offsets, "user_dtb", facts->offsets.user_dtb);
    if (datum->n_processes > 0)
        add_processes(node, datum);
}

/* Kernels that passed all checks, too, and are not the answer. */
static void
add_others(json_object *evidence, const struct memctx_datum *datum)
{
    json_object *others = add_array(evidence, "others");
    for (size_t i = 0; i < datum->n_others; i++) {
        const struct memctx_kernel *kernel = &datum->others[i];
        json_object *other = json_object_new_object();
        add_hex(other, "kcr3", kernel->kcr3);
        add_string(other, "paging", memctx_paging_name(kernel->paging));
        add_string(other, "os", memctx_os_name(kernel->os));
        add_string(other, "version", kernel->version);
        if (kernel->identity[0] != '\0')
            add_string(other, "identity", kernel->identity);
        add_time(other, "system_time", kernel->wall_clock.time);
        add_string(other, "found", kernel->found);
        json_object_array_add(others, other);
    }
}

/* "a,b,c" as an array of strings. */
static void
add_checks(json_object *evidence, const char *names)
{
    json_object *array = add_array(evidence, "checks");
    while (*names != '\0') {
        size_t len = strcspn(names, ",");
        json_object_array_add(array,
                              json_object_new_string_len(names, (int)len));
        names += len + (names[len] == ',');
    }
}

static void
add_evidence(json_object *root, const struct memctx_datum *datum)
{
    json_object *evidence = add_object(root, "evidence");
    add_string(evidence, "found", datum->kernel.found);
    add_checks(evidence, datum->kernel.checks);
    if (datum->attempts != 0)
        add_count(evidence, "attempts", datum->attempts);
    if (datum->live != NULL)
        add_string(evidence, "live", datum->live);
    if (datum->layout != NULL)
        add_string(evidence, "layout", datum->layout);
    if (datum->candidates != 0)
        add_count(evidence, "candidates", datum->candidates);
    if (datum->chosen != NULL)
        add_string(evidence, "chosen", datum->chosen);
    if (datum->n_others > 0)
        add_others(evidence, datum);
}

int
memctx_datum_to_json(const struct memctx_datum *datum, char **ret,
                     struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *root = json_object_new_object();
    if (root == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (datum->generation != 0)
        add_count(root, "generation", datum->generation);
    if (datum->published[0] != '\0')
        add_string(root, "published", datum->published);
    add_hex(root, "kcr3", datum->kernel.kcr3);
    add_hex(root, "low", datum->low);
    add_string(root, "paging", memctx_paging_name(datum->kernel.paging));
    add_guest(root, &datum->kernel);
    add_ram(root, datum);
    if (datum->kernel.base_gva != 0)
        add_kernel(root, &datum->kernel);
    if (datum->kernel.os == MEMCTX_OS_LINUX && datum->kernel.base_gva != 0)
        add_linux(root, &datum->kernel.linux_facts);
    if (datum->kernel.os == MEMCTX_OS_WINDOWS && datum->kernel.base_gva != 0)
        add_windows(root, datum);
    add_evidence(root, datum);
    const char *text = json_object_to_json_string_ext(
        root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    char *copy = text != NULL ? strdup(text) : NULL;
    if (copy == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    *ret = copy;
    return 0;
}
