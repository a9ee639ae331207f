/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses QEMU's arguments; opens nothing. Any local user can start a process
 * with any arguments: whoever calls this checks whose they are. */
#include "qemu/cmdline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
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

/* What QEMU makes of "DRIVER.PROPERTY=VALUE", or of each as a key of its own
 * (qemu_global_option() in QEMU's util/qemu-config.c). */
struct global {
    char driver[64];
    char property[64];
    char value[64];
};

static bool
split_global(const struct memctx_argument *a, struct global *ret)
{
    int n = 0;
    if (sscanf(a->text, "%63[^.=].%63[^=]%n", ret->driver, ret->property, &n) ==
            2 &&
        a->text[n] == '=')
        return snprintf(ret->value, sizeof(ret->value), "%s", a->text + n + 1) <
               (int)sizeof(ret->value);
    return memctx_qemuopt_get(a->opt, "driver", ret->driver,
                              sizeof(ret->driver)) &&
           memctx_qemuopt_get(a->opt, "property", ret->property,
                              sizeof(ret->property)) &&
           memctx_qemuopt_get(a->opt, "value", ret->value, sizeof(ret->value));
}

static bool
is_hole_of_pci(const struct global *global)
{
    return strcmp(global->property, "pci-hole64-size") == 0 &&
           (strcmp(global->driver, "q35-pcihost") == 0 ||
            strcmp(global->driver, "i440FX-pcihost") == 0);
}

static int
take_global(struct memctx_argument *a, struct memctx_error *err)
{
    struct memctx_memconf *memory = &a->args->memory;
    struct global global;
    if (!split_global(a, &global))
        return 0;
    if (memctx_objects_places(global.driver, global.property))
        memctx_argument_doubt(a, "-global");
    if (!is_hole_of_pci(&global))
        return 0;
    memory->has_pci_hole64 = true;
    if (!memctx_number_parse_size(global.value, 1, &memory->pci_hole64_bytes))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "QEMU's %s.%s is no size: '%.40s'",
                                global.driver, global.property, global.value);
    return 0;
}

/* "GROUP.ID.KEY=VALUE" changes an option that came before. */
static int
take_set(struct memctx_argument *a, struct memctx_error *err)
{
    static const char *const groups[] = {"object", "machine", "memory", "numa"};
    char group[64];
    char id[64];
    bool moves = false;
    (void)err;
    if (sscanf(a->text, "%63[^.].%63[^.]", group, id) != 2)
        return 0;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(groups); i++)
        moves = moves || strcmp(group, groups[i]) == 0;
    for (size_t i = 0; i < a->args->memory.n_memdevs; i++)
        moves = moves || strcmp(a->args->memory.memdevs[i].id, id) == 0;
    if (moves)
        memctx_argument_doubt(a, "-set");
    return 0;
}

static int
take_mem_path(struct memctx_argument *a, struct memctx_error *err)
{
    (void)err;
    a->args->mem_path = true;
    return 0;
}

static memctx_argument_fn take_readconfig;

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
    {"-set", take_set},
    {"-readconfig", take_readconfig},
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

/* A section is what the option of its name would be, but that "memory" is -m
 * (qemu_parse_config_group() in QEMU's softmmu/vl.c). */
static int
take_section(const char *group, const char *text, void *arg)
{
    struct memctx_argument *a = arg;
    char name[72];
    snprintf(name, sizeof(name), "-%s",
             strcmp(group, "memory") == 0 ? "m" : group);
    memctx_argument_fn *take = find_option(name);
    MEMCTX_CLEANUP(cleanup_opt)
    struct memctx_qemuopt *opt = memctx_qemuopt_open(text);
    if (opt == NULL)
        return -1;
    struct memctx_argument section = *a;
    section.opt = opt;
    section.text = text;
    if (take != NULL && take != take_readconfig && take(&section, NULL) < 0)
        return -1;
    a->has_accel = section.has_accel;
    return 0;
}

static int
take_readconfig(struct memctx_argument *a, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = malloc(MEMCTX_CONFIG_MAX);
    if (text == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (a->read_config == NULL ||
        !a->read_config(a->text, text, MEMCTX_CONFIG_MAX, a->read_arg) ||
        memctx_readconfig_visit(text, take_section, a) < 0)
        memctx_argument_doubt(a, "-readconfig");
    return 0;
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
parse_all(struct memctx_argument *argument, const char *text, size_t len_bytes,
          struct memctx_error *err)
{
    struct memctx_qemuargs *args = argument->args;
    memctx_argument_fn *take = NULL;
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
        argument->opt = opt;
        argument->text = arg;
        if (take(argument, err) < 0)
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
    return memctx_cmdline_parse_all(args, len_bytes, NULL, NULL, ret, err);
}

int
memctx_cmdline_parse_all(const char *args, size_t len_bytes,
                         memctx_config_fn *read_config, void *arg,
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
    struct memctx_argument argument = {
        .args = found, .read_config = read_config, .read_arg = arg};
    if (parse_all(&argument, copy, len_bytes, err) < 0 ||
        memctx_objects_resolve(found, err) < 0)
        return -1;
    memctx_cmdline_uuid(args, len_bytes, found->uuid);
    *ret = *found;
    return 0;
}
