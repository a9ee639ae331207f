/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Knows the options -object, -numa and -device, as far as they make RAM. */
#include "qemu/objects.h"

#include <string.h>

#include "base/bytes.h"

/* A cell without memdev= has no backend of its own. */
int
memctx_objects_take_cell(struct memctx_argument *a, struct memctx_error *err)
{
    struct memctx_memconf *memory = &a->args->memory;
    struct memctx_cell cell = {.node = 0};
    uint64_t node = a->args->n_nodes;
    char type[16];
    if (!memctx_qemuopt_get(a->opt, "", type, sizeof(type)))
        memctx_qemuopt_get(a->opt, "type", type, sizeof(type));
    if (strcmp(type, "node") != 0)
        return 0;
    if (memctx_argument_name(a, "memdev", cell.backend, err) < 0 ||
        memctx_argument_size(a, "nodeid", 1, &node, err) < 0)
        return -1;
    a->args->n_nodes++;
    if (cell.backend[0] == '\0')
        return 0;
    if (memory->n_cells == MEMCTX_CELLS_MAX || node >= MEMCTX_CELLS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU has more than %d NUMA nodes",
                                MEMCTX_CELLS_MAX);
    cell.node = (unsigned)node;
    memory->cells[memory->n_cells++] = cell;
    return 0;
}

static enum memctx_backend_kind
kind_of(const char *type)
{
    if (strcmp(type, "memory-backend-ram") == 0)
        return MEMCTX_BACKEND_ANONYMOUS;
    if (strcmp(type, "memory-backend-memfd") == 0)
        return MEMCTX_BACKEND_MEMFD;
    if (strcmp(type, "memory-backend-file") == 0)
        return MEMCTX_BACKEND_FILE;
    return MEMCTX_BACKEND_OTHER;
}

/* What QEMU aligns RAM of this kind to in the guest: anonymous memory to
 * QEMU_VMALLOC_ALIGN, files to their page size (seen in 7.2). */
static uint64_t
alignment_of(enum memctx_backend_kind kind)
{
    return kind == MEMCTX_BACKEND_ANONYMOUS ? 2 * MEMCTX_MIB : MEMCTX_PAGE_SIZE;
}

/* QEMU took these arguments. What we cannot read of a backend matters only if
 * RAM is in it, and then its size is missed (layout.c); what has a longer name
 * than we keep has one that nothing else here can have. */
static void
read_backend(const struct memctx_argument *a, struct memctx_backend_arg *ret)
{
    uint64_t page_size = 0;
    char huge[8];
    memctx_argument_name(a, "id", ret->id, NULL);
    memctx_argument_size(a, "size", 1, &ret->size, NULL);
    memctx_argument_size(a, "align", 1, &ret->align, NULL);
    memctx_argument_size(a, "hugetlbsize", 1, &page_size, NULL);
    if (page_size == 0 &&
        memctx_qemuopt_get(a->opt, "hugetlb", huge, sizeof(huge)) &&
        (strcmp(huge, "on") == 0 || strcmp(huge, "true") == 0))
        page_size = 2 * MEMCTX_MIB;
    ret->align =
        memctx_max(memctx_max(ret->align, page_size), alignment_of(ret->kind));
}

int
memctx_objects_take_object(struct memctx_argument *a, struct memctx_error *err)
{
    (void)err;
    struct memctx_qemuargs *args = a->args;
    struct memctx_backend_arg backend = {.size = 0};
    char type[64];
    if (!memctx_qemuopt_get(a->opt, "", type, sizeof(type)))
        memctx_qemuopt_get(a->opt, "qom-type", type, sizeof(type));
    if (strncmp(type, "memory-backend-", 15) != 0)
        return 0;
    backend.kind = kind_of(type);
    read_backend(a, &backend);
    if (args->n_backends < MEMCTX_BACKEND_ARGS_MAX)
        args->backends[args->n_backends] = backend;
    args->n_backends++;
    return 0;
}

/* Drivers of memory devices. virtio ones also end in -non-transitional and
 * the like. The address is called differently. */
static const struct {
    const char *prefix;
    enum memctx_memdev_model model;
    const char *address;
} drivers[] = {
    {"pc-dimm", MEMCTX_MEMDEV_DIMM, "addr"},
    {"nvdimm", MEMCTX_MEMDEV_NVDIMM, "addr"},
    {"virtio-mem-", MEMCTX_MEMDEV_VIRTIO_MEM, "memaddr"},
    {"virtio-pmem-", MEMCTX_MEMDEV_VIRTIO_PMEM, "memaddr"},
};

static int
add_memdev(struct memctx_argument *a, size_t driver, struct memctx_error *err)
{
    struct memctx_memconf *memory = &a->args->memory;
    struct memctx_memdev device = {.model = drivers[driver].model};
    if (memctx_argument_name(a, "id", device.id, err) < 0 ||
        memctx_argument_name(a, "memdev", device.backend, err) < 0 ||
        memctx_argument_size(a, drivers[driver].address, 1, &device.gpa, err) <
            0 ||
        memctx_argument_size(a, "block-size", 1, &device.align, err) < 0 ||
        memctx_argument_size(a, "label-size", 1, &device.label_size, err) < 0)
        return -1;
    device.has_gpa = device.gpa != 0;
    if (memory->n_memdevs == MEMCTX_MEMDEVS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU has more than %d memory devices",
                                MEMCTX_MEMDEVS_MAX);
    memory->memdevs[memory->n_memdevs++] = device;
    return 0;
}

bool
memctx_objects_places(const char *driver, const char *property)
{
    bool memdev = false;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(drivers); i++) {
        size_t len = strlen(drivers[i].prefix);
        len -= drivers[i].prefix[len - 1] == '-';
        memdev = memdev || strncmp(driver, drivers[i].prefix, len) == 0;
    }
    return memdev &&
           (strcmp(property, "addr") == 0 || strcmp(property, "memaddr") == 0 ||
            strcmp(property, "memdev") == 0 ||
            strcmp(property, "label-size") == 0 ||
            strcmp(property, "block-size") == 0);
}

int
memctx_objects_take_device(struct memctx_argument *a, struct memctx_error *err)
{
    char name[64];
    if (!memctx_qemuopt_get(a->opt, "", name, sizeof(name)))
        memctx_qemuopt_get(a->opt, "driver", name, sizeof(name));
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(drivers); i++) {
        size_t len = strlen(drivers[i].prefix);
        bool prefix = drivers[i].prefix[len - 1] == '-';
        if (prefix ? strncmp(name, drivers[i].prefix, len) == 0
                   : strcmp(name, drivers[i].prefix) == 0)
            return add_memdev(a, i, err);
    }
    return 0;
}

int
memctx_objects_resolve(struct memctx_qemuargs *args, struct memctx_error *err)
{
    struct memctx_memconf *memory = &args->memory;
    const struct memctx_backend_arg *backend;
    for (size_t i = 0; i < memory->n_cells; i++) {
        backend = memctx_qemuargs_backend(args, memory->cells[i].backend);
        if (backend != NULL)
            memory->cells[i].size = backend->size;
    }
    for (size_t i = 0; i < memory->n_memdevs; i++) {
        struct memctx_memdev *device = &memory->memdevs[i];
        backend = memctx_qemuargs_backend(args, device->backend);
        if (backend == NULL)
            continue;
        device->size = backend->size;
        if (device->align == 0)
            device->align = backend->align;
    }
    backend = memctx_qemuargs_backend(args, memory->boot_backend);
    if (backend == NULL)
        return 0;
    if (memory->ram_bytes == 0)
        memory->ram_bytes = backend->size;
    if (memory->ram_bytes == backend->size || backend->size == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "QEMU's -m and its memory backend '%s' differ in "
                            "size",
                            backend->id);
}
