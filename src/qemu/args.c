/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses QEMU arguments; opens nothing. Any local user can start a process
 * with any arguments: whoever calls this checks whose they are. */
#include "qemu/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "qemu/opt.h"

/* One argument, with the arguments read so far. */
struct reader {
    struct memctx_qemuargs *args;
    const struct memctx_qemuopt *opt;
    const char *text;
    bool has_accel; /* an -accel came before */
};

typedef int option_fn(struct reader *r, struct memctx_error *err);

static void
cleanup_opt(struct memctx_qemuopt **opt)
{
    memctx_qemuopt_close(*opt);
}

/* Take a size, if there is this key. */
static int
take_size(struct reader *r, const char *key, uint64_t unit, uint64_t *ret,
          struct memctx_error *err)
{
    char text[32];
    if (!memctx_qemuopt_get(r->opt, key, text, sizeof(text)))
        return 0;
    if (!memctx_number_parse_size(text, unit, ret))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's %s is no size: '%.40s'",
                                key[0] != '\0' ? key : "-m", text);
    return 0;
}

/* Take the name of a backend or device, if there is this key. A name that is
 * cut would be another's. */
static int
take_name(struct reader *r, const char *key, char *to, struct memctx_error *err)
{
    char text[512];
    text[0] = '\0';
    memctx_qemuopt_get(r->opt, key, text, sizeof(text));
    if (strlen(text) >= MEMCTX_BACKEND_NAME_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's %s is longer than %d bytes: '%.40s...'",
                                key, MEMCTX_BACKEND_NAME_MAX - 1, text);
    if (text[0] != '\0')
        memcpy(to, text, strlen(text) + 1);
    return 0;
}

static int
take_uuid(struct reader *r, struct memctx_error *err)
{
    if (strlen(r->text) != sizeof(r->args->uuid) - 1)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's -uuid is no UUID: '%.40s'", r->text);
    memcpy(r->args->uuid, r->text, sizeof(r->args->uuid));
    return 0;
}

/* "kvm", or "kvm:tcg": whichever works. Other accelerators (hvf, whpx) give
 * the host's vendor, too. */
static enum memctx_accel
accel_of(const char *name)
{
    if (strcmp(name, "tcg") == 0)
        return MEMCTX_ACCEL_TCG;
    return strstr(name, "tcg") != NULL ? MEMCTX_ACCEL_UNKNOWN
                                       : MEMCTX_ACCEL_HOST;
}

static int
take_machine(struct reader *r, struct memctx_error *err)
{
    struct memctx_memconf *memory = &r->args->memory;
    char text[sizeof(memory->machine)];
    if (memctx_qemuopt_get(r->opt, "", text, sizeof(text)) ||
        memctx_qemuopt_get(r->opt, "type", text, sizeof(text)))
        memcpy(memory->machine, text, sizeof(text));
    if (memctx_qemuopt_get(r->opt, "accel", text, sizeof(text)))
        memory->accel = accel_of(text);
    if (memctx_qemuopt_get(r->opt, "confidential-guest-support", text,
                           sizeof(text)))
        r->args->confidential = true;
    if (take_name(r, "memory-backend", memory->boot_backend, err) < 0 ||
        take_size(r, "memory.size", 1, &memory->ram_bytes, err) < 0 ||
        take_size(r, "memory.max-size", 1, &memory->max_memory_bytes, err) <
            0 ||
        take_size(r, "memory.slots", 1, &memory->slots, err) < 0)
        return -1;
    return take_size(r, "max-ram-below-4g", 1, &memory->max_ram_below_4g, err);
}

static int
take_memory(struct reader *r, struct memctx_error *err)
{
    struct memctx_memconf *memory = &r->args->memory;
    if (take_size(r, "", MEMCTX_MIB, &memory->ram_bytes, err) < 0 ||
        take_size(r, "size", MEMCTX_MIB, &memory->ram_bytes, err) < 0 ||
        take_size(r, "slots", 1, &memory->slots, err) < 0)
        return -1;
    return take_size(r, "maxmem", MEMCTX_MIB, &memory->max_memory_bytes, err);
}

/* "MODEL,property=value,..." */
static int
take_cpu(struct reader *r, struct memctx_error *err)
{
    (void)err;
    struct memctx_memconf *memory = &r->args->memory;
    memory->cpu_model[0] = '\0';
    memctx_qemuopt_get(r->opt, "", memory->cpu_model,
                       sizeof(memory->cpu_model));
    memctx_qemuopt_get(r->opt, "vendor", memory->cpu_vendor,
                       sizeof(memory->cpu_vendor));
    return 0;
}

/* Of several -accel QEMU takes the first that works: "-accel kvm -accel tcg".
 */
static int
take_accel(struct reader *r, struct memctx_error *err)
{
    (void)err;
    enum memctx_accel *known = &r->args->memory.accel;
    char name[32];
    if (!memctx_qemuopt_get(r->opt, "", name, sizeof(name)) &&
        !memctx_qemuopt_get(r->opt, "accel", name, sizeof(name)))
        return 0;
    enum memctx_accel accel = accel_of(name);
    *known = r->has_accel && *known != accel ? MEMCTX_ACCEL_UNKNOWN : accel;
    r->has_accel = true;
    return 0;
}

/* A cell without memdev= has no backend of its own. */
static int
take_numa(struct reader *r, struct memctx_error *err)
{
    struct memctx_memconf *memory = &r->args->memory;
    struct memctx_cell cell = {.node = 0};
    uint64_t node = r->args->n_nodes;
    char type[16];
    if (!memctx_qemuopt_get(r->opt, "", type, sizeof(type)))
        memctx_qemuopt_get(r->opt, "type", type, sizeof(type));
    if (strcmp(type, "node") != 0)
        return 0;
    if (take_name(r, "memdev", cell.backend, err) < 0 ||
        take_size(r, "nodeid", 1, &node, err) < 0)
        return -1;
    r->args->n_nodes++;
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

static int
take_global(struct reader *r, struct memctx_error *err)
{
    static const char *const names[] = {
        "q35-pcihost.pci-hole64-size",
        "i440FX-pcihost.pci-hole64-size",
    };
    struct memctx_memconf *memory = &r->args->memory;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++) {
        char text[32];
        if (!memctx_qemuopt_get(r->opt, names[i], text, sizeof(text)))
            continue;
        memory->has_pci_hole64 = true;
        return take_size(r, names[i], 1, &memory->pci_hole64_bytes, err);
    }
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

static int
take_object(struct reader *r, struct memctx_error *err)
{
    struct memctx_qemuargs *args = r->args;
    struct memctx_backend_arg backend = {.size = 0};
    uint64_t page_size = 0;
    char type[64];
    if (!memctx_qemuopt_get(r->opt, "", type, sizeof(type)))
        memctx_qemuopt_get(r->opt, "qom-type", type, sizeof(type));
    if (strncmp(type, "memory-backend-", 15) != 0)
        return 0;
    backend.kind = kind_of(type);
    if (take_name(r, "id", backend.id, err) < 0 ||
        take_size(r, "size", 1, &backend.size, err) < 0 ||
        take_size(r, "align", 1, &backend.align, err) < 0 ||
        take_size(r, "hugetlbsize", 1, &page_size, err) < 0)
        return -1;
    char huge[8];
    if (page_size == 0 &&
        memctx_qemuopt_get(r->opt, "hugetlb", huge, sizeof(huge)) &&
        (strcmp(huge, "on") == 0 || strcmp(huge, "true") == 0))
        page_size = 2 * MEMCTX_MIB;
    backend.align = memctx_max(memctx_max(backend.align, page_size),
                               alignment_of(backend.kind));
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
add_memdev(struct reader *r, size_t driver, struct memctx_error *err)
{
    struct memctx_memconf *memory = &r->args->memory;
    struct memctx_memdev device = {.model = drivers[driver].model};
    if (take_name(r, "id", device.id, err) < 0 ||
        take_name(r, "memdev", device.backend, err) < 0 ||
        take_size(r, drivers[driver].address, 1, &device.gpa, err) < 0 ||
        take_size(r, "block-size", 1, &device.align, err) < 0 ||
        take_size(r, "label-size", 1, &device.label_size, err) < 0)
        return -1;
    device.has_gpa = device.gpa != 0;
    if (memory->n_memdevs == MEMCTX_MEMDEVS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU has more than %d memory devices",
                                MEMCTX_MEMDEVS_MAX);
    memory->memdevs[memory->n_memdevs++] = device;
    return 0;
}

static int
take_device(struct reader *r, struct memctx_error *err)
{
    char name[64];
    if (!memctx_qemuopt_get(r->opt, "", name, sizeof(name)))
        memctx_qemuopt_get(r->opt, "driver", name, sizeof(name));
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(drivers); i++) {
        size_t len = strlen(drivers[i].prefix);
        bool prefix = drivers[i].prefix[len - 1] == '-';
        if (prefix ? strncmp(name, drivers[i].prefix, len) == 0
                   : strcmp(name, drivers[i].prefix) == 0)
            return add_memdev(r, i, err);
    }
    return 0;
}

static int
take_mem_path(struct reader *r, struct memctx_error *err)
{
    (void)err;
    r->args->mem_path = true;
    return 0;
}

static const struct {
    const char *name;
    option_fn *take;
} options[] = {
    {"-uuid", take_uuid},         {"-machine", take_machine},
    {"-M", take_machine},         {"-m", take_memory},
    {"-object", take_object},     {"-numa", take_numa},
    {"-global", take_global},     {"-device", take_device},
    {"-cpu", take_cpu},           {"-accel", take_accel},
    {"-mem-path", take_mem_path},
};

/* QEMU takes -option and --option alike. */
static bool
is_option(const char *arg, const char *name)
{
    if (arg[0] == '-' && arg[1] == '-')
        arg++;
    return strcmp(arg, name) == 0;
}

static option_fn *
find_option(const char *arg)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(options); i++) {
        if (is_option(arg, options[i].name))
            return options[i].take;
    }
    return NULL;
}

const struct memctx_backend_arg *
memctx_qemuargs_backend(const struct memctx_qemuargs *args, const char *id)
{
    size_t n = memctx_min(args->n_backends, MEMCTX_BACKEND_ARGS_MAX);
    for (size_t i = 0; i < n && id[0] != '\0'; i++) {
        if (strcmp(args->backends[i].id, id) == 0)
            return &args->backends[i];
    }
    return NULL;
}

/* The program's name tells the architecture, and "kvm" in it another default
 * of the accelerator; "qemu-kvm" is for the host it runs on. */
static void
take_program(struct memctx_qemuargs *args, const char *path)
{
    const char *name =
        strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    if (strncmp(name, "qemu-system-", 12) == 0)
        args->memory.arch = memctx_memconf_arch(name + 12);
    args->memory.accel =
        strstr(name, "kvm") != NULL ? MEMCTX_ACCEL_UNKNOWN : MEMCTX_ACCEL_TCG;
}

/* Objects may stand behind the devices and cells that use them. */
static int
resolve_backends(struct memctx_qemuargs *args, struct memctx_error *err)
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
    if (memory->ram_bytes == backend->size)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "QEMU's -m and its memory backend '%s' differ in "
                            "size",
                            backend->id);
}

static int
parse_all(struct memctx_qemuargs *args, const char *text, size_t len_bytes,
          struct memctx_error *err)
{
    option_fn *take = NULL;
    struct reader reader = {.args = args};
    for (size_t at = 0; at < len_bytes; at += strlen(text + at) + 1) {
        const char *arg = text + at;
        if (at == 0)
            take_program(args, arg);
        if (take == NULL) {
            if (is_option(arg, "-enable-kvm"))
                args->memory.accel = MEMCTX_ACCEL_HOST;
            take = find_option(arg);
            continue;
        }
        MEMCTX_CLEANUP(cleanup_opt)
        struct memctx_qemuopt *opt = memctx_qemuopt_open(arg);
        if (opt == NULL)
            return memctx_error_set(
                err, MEMCTX_PERMANENT,
                "QEMU's argument is no JSON object: '%.40s'", arg);
        reader.opt = opt;
        reader.text = arg;
        if (take(&reader, err) < 0)
            return -1;
        take = NULL;
    }
    return 0;
}

int
memctx_qemuargs_parse(const char *args, size_t len_bytes,
                      struct memctx_qemuargs *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *copy =
        len_bytes <= MEMCTX_QEMUARGS_MAX ? malloc(len_bytes + 1) : NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_qemuargs *found = calloc(1, sizeof(*found));
    if (copy == NULL || found == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's arguments are too long: %zu bytes",
                                len_bytes);
    memcpy(copy, args, len_bytes);
    copy[len_bytes] = '\0';
    if (parse_all(found, copy, len_bytes, err) < 0 ||
        resolve_backends(found, err) < 0)
        return -1;
    *ret = *found;
    return 0;
}
