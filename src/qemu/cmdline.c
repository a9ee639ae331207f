/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses QEMU's arguments; opens nothing. Any local user can start a process
 * with any arguments: whoever calls this checks whose they are. */
#include "qemu/cmdline.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "qemu/argument.h"
#include "qemu/objects.h"
#include "qemu/opt.h"

static void
cleanup_opt(struct memctx_qemuopt **opt)
{
    memctx_qemuopt_close(*opt);
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
take_machine(struct memctx_argument *a, struct memctx_error *err)
{
    struct memctx_memconf *memory = &a->args->memory;
    char text[sizeof(memory->machine)];
    if (memctx_qemuopt_get(a->opt, "", text, sizeof(text)) ||
        memctx_qemuopt_get(a->opt, "type", text, sizeof(text)))
        memcpy(memory->machine, text, sizeof(text));
    if (memctx_qemuopt_get(a->opt, "accel", text, sizeof(text)))
        memory->accel = accel_of(text);
    if (memctx_qemuopt_get(a->opt, "confidential-guest-support", text,
                           sizeof(text)))
        a->args->confidential = true;
    if (memctx_argument_name(a, "memory-backend", memory->boot_backend, err) <
            0 ||
        memctx_argument_size(a, "memory.size", 1, &memory->ram_bytes, err) <
            0 ||
        memctx_argument_size(a, "memory.max-size", 1, &memory->max_memory_bytes,
                             err) < 0 ||
        memctx_argument_size(a, "memory.slots", 1, &memory->slots, err) < 0)
        return -1;
    return memctx_argument_size(a, "max-ram-below-4g", 1,
                                &memory->max_ram_below_4g, err);
}

static int
take_memory(struct memctx_argument *a, struct memctx_error *err)
{
    struct memctx_memconf *memory = &a->args->memory;
    if (memctx_argument_size(a, "", MEMCTX_MIB, &memory->ram_bytes, err) < 0 ||
        memctx_argument_size(a, "size", MEMCTX_MIB, &memory->ram_bytes, err) <
            0 ||
        memctx_argument_size(a, "slots", 1, &memory->slots, err) < 0)
        return -1;
    return memctx_argument_size(a, "maxmem", MEMCTX_MIB,
                                &memory->max_memory_bytes, err);
}

/* "MODEL,property=value,..." */
static int
take_cpu(struct memctx_argument *a, struct memctx_error *err)
{
    (void)err;
    struct memctx_memconf *memory = &a->args->memory;
    memory->cpu_model[0] = '\0';
    memctx_qemuopt_get(a->opt, "", memory->cpu_model,
                       sizeof(memory->cpu_model));
    memctx_qemuopt_get(a->opt, "vendor", memory->cpu_vendor,
                       sizeof(memory->cpu_vendor));
    return 0;
}

/* Of several -accel QEMU takes the first that works: "-accel kvm -accel tcg".
 */
static int
take_accel(struct memctx_argument *a, struct memctx_error *err)
{
    (void)err;
    enum memctx_accel *known = &a->args->memory.accel;
    char name[32];
    if (!memctx_qemuopt_get(a->opt, "", name, sizeof(name)) &&
        !memctx_qemuopt_get(a->opt, "accel", name, sizeof(name)))
        return 0;
    enum memctx_accel accel = accel_of(name);
    *known = a->has_accel && *known != accel ? MEMCTX_ACCEL_UNKNOWN : accel;
    a->has_accel = true;
    return 0;
}

static int
take_global(struct memctx_argument *a, struct memctx_error *err)
{
    static const char *const names[] = {
        "q35-pcihost.pci-hole64-size",
        "i440FX-pcihost.pci-hole64-size",
    };
    struct memctx_memconf *memory = &a->args->memory;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++) {
        char text[32];
        if (!memctx_qemuopt_get(a->opt, names[i], text, sizeof(text)))
            continue;
        memory->has_pci_hole64 = true;
        return memctx_argument_size(a, names[i], 1, &memory->pci_hole64_bytes,
                                    err);
    }
    return 0;
}

static int
take_mem_path(struct memctx_argument *a, struct memctx_error *err)
{
    (void)err;
    a->args->mem_path = true;
    return 0;
}

static const struct {
    const char *name;
    memctx_argument_fn *take;
} options[] = {
    {"-machine", take_machine},
    {"-M", take_machine},
    {"-m", take_memory},
    {"-object", memctx_objects_take_object},
    {"-numa", memctx_objects_take_cell},
    {"-global", take_global},
    {"-device", memctx_objects_take_device},
    {"-cpu", take_cpu},
    {"-accel", take_accel},
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

static memctx_argument_fn *
find_option(const char *arg)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(options); i++) {
        if (is_option(arg, options[i].name))
            return options[i].take;
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

static int
parse_all(struct memctx_qemuargs *args, const char *text, size_t len_bytes,
          struct memctx_error *err)
{
    memctx_argument_fn *take = NULL;
    struct memctx_argument argument = {.args = args};
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
        argument.opt = opt;
        argument.text = arg;
        if (take(&argument, err) < 0)
            return -1;
        take = NULL;
    }
    return 0;
}

/* libvirt gives -uuid before the arguments that a domain's owner appended. */
void
memctx_cmdline_uuid(const char *args, size_t len_bytes,
                    char ret[MEMCTX_UUID_TEXT_SIZE])
{
    bool next = false;
    ret[0] = '\0';
    for (size_t at = 0; at < len_bytes;) {
        size_t len = strnlen(args + at, len_bytes - at);
        if (next && len == MEMCTX_UUID_TEXT_SIZE - 1) {
            memcpy(ret, args + at, len);
            ret[len] = '\0';
            return;
        }
        next = (len == 5 && memcmp(args + at, "-uuid", 5) == 0) ||
               (len == 6 && memcmp(args + at, "--uuid", 6) == 0);
        at += len + 1;
    }
}

int
memctx_cmdline_parse(const char *args, size_t len_bytes,
                     struct memctx_qemuargs *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *copy = len_bytes <= MEMCTX_CMDLINE_MAX ? malloc(len_bytes + 1) : NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    struct memctx_qemuargs *found = calloc(1, sizeof(*found));
    if (copy == NULL || found == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's arguments are too long: %zu bytes",
                                len_bytes);
    memcpy(copy, args, len_bytes);
    copy[len_bytes] = '\0';
    if (parse_all(found, copy, len_bytes, err) < 0 ||
        memctx_objects_resolve(found, err) < 0)
        return -1;
    memctx_cmdline_uuid(args, len_bytes, found->uuid);
    *ret = *found;
    return 0;
}
