/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads sizes, cells and memory devices out of live domain XML.
 * Source: libvirt's docs/formatdomain.rst; the names that libvirt gives to
 * backends and aliases: src/qemu/qemu_command.c, qemu_alias.c (9.0). */
#include "domain/domxml_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "qemu/cmdline.h"
#include "text/xml.h"

/* Units of libvirt's virScaleInteger(); live XML has KiB only. */
static const struct {
    const char *name;
    uint64_t bytes;
} units[] = {
    {"KiB", MEMCTX_KIB},
    {"k", MEMCTX_KIB},
    {"b", 1},
    {"bytes", 1},
    {"KB", 1000},
    {"MB", 1000000},
    {"M", MEMCTX_MIB},
    {"MiB", MEMCTX_MIB},
    {"GB", 1000000000},
    {"G", MEMCTX_GIB},
    {"GiB", MEMCTX_GIB},
    {"TB", UINT64_C(1000000000000)},
    {"T", 1024 * MEMCTX_GIB},
    {"TiB", 1024 * MEMCTX_GIB},
};

static bool
scale(uint64_t number, const char *unit, uint64_t *ret)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(units); i++) {
        if (strcmp(unit, units[i].name) == 0)
            return memctx_mul(number, units[i].bytes, ret);
    }
    return unit[0] == '\0' && memctx_mul(number, MEMCTX_KIB, ret);
}

static int
take_size(const char *text, const xmlNode *node, uint64_t *ret,
          struct memctx_error *err)
{
    char unit[16];
    uint64_t number;
    memctx_xml_attr(node, "unit", unit, sizeof(unit));
    if (!memctx_number_parse_c(text, &number) || !scale(number, unit, ret))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "<%.20s> is no size: '%.40s' %s",
                                (const char *)node->name, text, unit);
    return 0;
}

/* The size in an element; none leaves *ret as it is. */
static int
parse_size(const xmlNode *node, uint64_t *ret, struct memctx_error *err)
{
    char text[40];
    if (node == NULL)
        return 0;
    memctx_xml_text(node, text, sizeof(text));
    return take_size(text, node, ret, err);
}

/* A number in an attribute; none leaves *ret as it is. */
static int
parse_attr(const xmlNode *node, const char *name, uint64_t *ret,
           struct memctx_error *err)
{
    char text[40];
    if (!memctx_xml_attr(node, name, text, sizeof(text)))
        return 0;
    if (!memctx_number_parse_c(text, ret))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "%s of <%.20s> is no number: '%.40s'", name,
                                (const char *)node->name, text);
    return 0;
}

static int
parse_cells(const xmlNode *cpu, struct memctx_memconf *conf,
            struct memctx_error *err)
{
    const xmlNode *numa = memctx_xml_child(cpu, "numa");
    for (xmlNode *n = memctx_xml_child(numa, "cell"); n != NULL;
         n = memctx_xml_next(n)) {
        struct memctx_cell cell = {.node = 0};
        uint64_t node = conf->n_cells;
        char text[40];
        if (parse_attr(n, "id", &node, err) < 0)
            return -1;
        if (conf->n_cells == MEMCTX_CELLS_MAX || node >= MEMCTX_CELLS_MAX)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "more than %d NUMA cells",
                                    MEMCTX_CELLS_MAX);
        if (!memctx_xml_attr(n, "memory", text, sizeof(text)))
            continue;
        if (take_size(text, n, &cell.size, err) < 0)
            return -1;
        if (cell.size == 0)
            continue;
        cell.node = (unsigned)node;
        snprintf(cell.backend, sizeof(cell.backend), "ram-node%u", cell.node);
        conf->cells[conf->n_cells++] = cell;
    }
    return 0;
}

static const struct {
    const char *name;
    enum memctx_memdev_model model;
    const char *alias;
} models[] = {
    {"dimm", MEMCTX_MEMDEV_DIMM, "dimm"},
    {"nvdimm", MEMCTX_MEMDEV_NVDIMM, "nvdimm"},
    {"virtio-mem", MEMCTX_MEMDEV_VIRTIO_MEM, "virtiomem"},
    {"virtio-pmem", MEMCTX_MEMDEV_VIRTIO_PMEM, "virtiopmem"},
};

/* Its alias, or the one that libvirt would give it. */
static int
name_memdev(const xmlNode *node, const char *kind,
            const struct memctx_memconf *conf, struct memctx_memdev *device,
            struct memctx_error *err)
{
    char alias[256];
    unsigned n = 0;
    for (size_t i = 0; i < conf->n_memdevs; i++)
        n += conf->memdevs[i].model == device->model;
    if (!memctx_xml_attr(memctx_xml_child(node, "alias"), "name", alias,
                         sizeof(alias)))
        snprintf(alias, sizeof(alias), "%s%u", kind, n);
    int len =
        snprintf(device->backend, sizeof(device->backend), "mem%s", alias);
    if (len < 0 || (size_t)len >= sizeof(device->backend))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "alias of a memory device is too long: '%.40s'",
                                alias);
    memcpy(device->id, device->backend + 3, (size_t)len - 2);
    return 0;
}

/* Where it lies: in libvirt 9 in <address type='dimm' base=...>, later for
 * virtio-mem in <target><address base=...>. */
static int
place_memdev(const xmlNode *node, const xmlNode *target,
             struct memctx_memdev *device, struct memctx_error *err)
{
    uint64_t base = 0;
    if (parse_attr(memctx_xml_child(node, "address"), "base", &base, err) < 0 ||
        parse_attr(memctx_xml_child(target, "address"), "base", &base, err) < 0)
        return -1;
    device->has_gpa = base != 0;
    device->gpa = base;
    return 0;
}

/* `total` is diminished: libvirt's <memory> includes the devices. */
static int
parse_memdev(const xmlNode *node, struct memctx_memconf *conf, uint64_t *total,
             struct memctx_error *err)
{
    struct memctx_memdev device = {.model = MEMCTX_MEMDEV_NONE};
    const xmlNode *target = memctx_xml_child(node, "target");
    const xmlNode *label = memctx_xml_child(target, "label");
    char name[32];
    if (parse_size(memctx_xml_child(target, "size"), &device.size, err) < 0)
        return -1;
    *total -= memctx_min(*total, device.size);
    memctx_xml_attr(node, "model", name, sizeof(name));
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(models); i++) {
        if (strcmp(name, models[i].name) != 0)
            continue;
        device.model = models[i].model;
        if (name_memdev(node, models[i].alias, conf, &device, err) < 0)
            return -1;
    }
    /* SGX EPC and what is to come are no RAM. */
    if (device.model == MEMCTX_MEMDEV_NONE)
        return 0;
    if (conf->n_memdevs == MEMCTX_MEMDEVS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "more than %d memory devices",
                                MEMCTX_MEMDEVS_MAX);
    if (place_memdev(node, target, &device, err) < 0 ||
        parse_size(memctx_xml_child(target, "block"), &device.align, err) < 0 ||
        parse_size(memctx_xml_child(label, "size"), &device.label_size, err) <
            0)
        return -1;
    conf->memdevs[conf->n_memdevs++] = device;
    return 0;
}

static int
parse_memory(const xmlNode *domain, struct memctx_memconf *conf,
             struct memctx_error *err)
{
    const xmlNode *max = memctx_xml_child(domain, "maxMemory");
    const xmlNode *devices = memctx_xml_child(domain, "devices");
    uint64_t total = 0;
    if (parse_size(memctx_xml_child(domain, "memory"), &total, err) < 0 ||
        parse_size(max, &conf->max_memory_bytes, err) < 0 ||
        parse_attr(max, "slots", &conf->slots, err) < 0)
        return -1;
    for (xmlNode *n = memctx_xml_child(devices, "memory"); n != NULL;
         n = memctx_xml_next(n)) {
        if (parse_memdev(n, conf, &total, err) < 0)
            return -1;
    }
    conf->ram_bytes = total;
    for (size_t i = 0; i < conf->n_cells; i++) {
        conf->ram_bytes = i > 0 ? conf->ram_bytes : 0;
        if (!memctx_add(conf->ram_bytes, conf->cells[i].size, &conf->ram_bytes))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "NUMA cells have more than 2^64 bytes");
    }
    return 0;
}

/* QEMU's names: libvirt's modes are "host" and "max" there. */
static void
parse_cpu(const xmlNode *domain, struct memctx_memconf *conf)
{
    const xmlNode *cpu = memctx_xml_child(domain, "cpu");
    const xmlNode *model = memctx_xml_child(cpu, "model");
    char mode[32];
    char type[16];
    memctx_xml_attr(cpu, "mode", mode, sizeof(mode));
    memctx_xml_text(model, conf->cpu_model, sizeof(conf->cpu_model));
    memctx_xml_attr(model, "vendor_id", conf->cpu_vendor,
                    sizeof(conf->cpu_vendor));
    if (strcmp(mode, "host-passthrough") == 0)
        strcpy(conf->cpu_model, "host");
    if (strcmp(mode, "maximum") == 0)
        strcpy(conf->cpu_model, "max");
    memctx_xml_attr(domain, "type", type, sizeof(type));
    if (strcmp(type, "qemu") == 0)
        conf->accel = MEMCTX_ACCEL_TCG;
    else if (type[0] != '\0')
        conf->accel = MEMCTX_ACCEL_HOST;
}

/* Append `text` and its NUL, and return false when there is no room. */
static bool
append_arg(char *args, size_t *used, const char *text)
{
    size_t len = strlen(text) + 1;
    if (len > MEMCTX_CMDLINE_MAX - *used)
        return false;
    memcpy(args + *used, text, len);
    *used += len;
    return true;
}

/* <qemu:commandline> is the only way to max-ram-below-4g. */
static int
parse_commandline(const xmlNode *domain, struct memctx_memconf *conf,
                  struct memctx_error *err)
{
    const xmlNode *line = memctx_xml_child(domain, "commandline");
    if (line == NULL)
        return 0;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *args = malloc(MEMCTX_CMDLINE_MAX);
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_qemuargs *found = malloc(sizeof(*found));
    size_t used = 0;
    if (args == NULL || found == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    append_arg(args, &used, "");
    for (xmlNode *n = memctx_xml_child(line, "arg"); n != NULL;
         n = memctx_xml_next(n)) {
        char value[4096];
        memctx_xml_attr(n, "value", value, sizeof(value));
        if (!append_arg(args, &used, value))
            break;
    }
    if (memctx_cmdline_parse(args, used, found, err) < 0)
        return memctx_error_prefix(err, "qemu:commandline");
    found->memory.accel = MEMCTX_ACCEL_UNKNOWN;
    memctx_memconf_overlay(conf, &found->memory, false);
    return 0;
}

static int
parse_all(const xmlNode *domain, struct memctx_memconf *conf,
          struct memctx_error *err)
{
    const xmlNode *type =
        memctx_xml_child(memctx_xml_child(domain, "os"), "type");
    char arch[32];
    memctx_xml_attr(type, "arch", arch, sizeof(arch));
    conf->arch = memctx_memconf_arch(arch);
    memctx_xml_attr(type, "machine", conf->machine, sizeof(conf->machine));
    parse_cpu(domain, conf);
    if (parse_cells(memctx_xml_child(domain, "cpu"), conf, err) < 0 ||
        parse_memory(domain, conf, err) < 0)
        return -1;
    return parse_commandline(domain, conf, err);
}

int
memctx_domxml_memory(const xmlNode *domain, struct memctx_memconf *ret,
                     struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_memconf *conf = calloc(1, sizeof(*conf));
    if (conf == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (parse_all(domain, conf, err) < 0)
        return -1;
    *ret = *conf;
    return 0;
}
