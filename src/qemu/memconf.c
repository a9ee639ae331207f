/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Joins what domain XML and QEMU's arguments tell about RAM. */
#include "qemu/memconf.h"

#include <ctype.h>
#include <string.h>

#include "base/bytes.h"

/* Names as in libvirt's os/type/@arch, and as QEMU's programs end. */
static const struct {
    const char *name;
    enum memctx_arch arch;
} archs[] = {
    {"x86_64", MEMCTX_ARCH_X86},    {"i686", MEMCTX_ARCH_X86},
    {"i386", MEMCTX_ARCH_X86},      {"x86_64-microvm", MEMCTX_ARCH_X86},
    {"aarch64", MEMCTX_ARCH_ARM},   {"armv7l", MEMCTX_ARCH_ARM},
    {"armv6l", MEMCTX_ARCH_ARM},    {"arm", MEMCTX_ARCH_ARM},
    {"riscv64", MEMCTX_ARCH_RISCV}, {"riscv32", MEMCTX_ARCH_RISCV},
};

enum memctx_arch
memctx_memconf_arch(const char *name)
{
    if (name[0] == '\0')
        return MEMCTX_ARCH_UNKNOWN;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(archs); i++) {
        if (strcmp(name, archs[i].name) == 0)
            return archs[i].arch;
    }
    return MEMCTX_ARCH_OTHER;
}

static const struct memctx_memdev *
find_memdev(const struct memctx_memconf *conf, const char *id)
{
    for (size_t i = 0; i < conf->n_memdevs && id[0] != '\0'; i++) {
        if (strcmp(conf->memdevs[i].id, id) == 0)
            return &conf->memdevs[i];
    }
    return NULL;
}

/* "dimm0", "virtiomem1", or "ua-...": an alias of libvirt's or of its user's
 * (src/qemu/qemu_alias.c). Devices of qemu:commandline are called as their
 * author liked, and are in no XML of a <memory> device. */
static bool
is_alias(const char *id)
{
    static const char *const prefixes[] = {"dimm", "nvdimm", "virtiomem",
                                           "virtiopmem"};
    if (strncmp(id, "ua-", 3) == 0)
        return true;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(prefixes); i++) {
        size_t len = strlen(prefixes[i]);
        if (strncmp(id, prefixes[i], len) == 0 &&
            isdigit((unsigned char)id[len]))
            return true;
    }
    return false;
}

static void
add_memdev(struct memctx_memconf *conf, const struct memctx_memdev *device)
{
    if (conf->n_memdevs < MEMCTX_MEMDEVS_MAX)
        conf->memdevs[conf->n_memdevs++] = *device;
}

static void
overlay_memdevs(struct memctx_memconf *conf, const struct memctx_memconf *args,
                bool whole)
{
    const struct memctx_memconf xml = *conf;
    bool from_xml = xml.arch != MEMCTX_ARCH_UNKNOWN;
    conf->n_memdevs = 0;
    for (size_t i = 0; i < args->n_memdevs; i++) {
        struct memctx_memdev device = args->memdevs[i];
        const struct memctx_memdev *other = find_memdev(&xml, device.id);
        if (other == NULL && whole && from_xml && is_alias(device.id))
            continue;
        if (other != NULL && !device.has_gpa && other->has_gpa) {
            device.has_gpa = true;
            device.gpa = other->gpa;
        }
        add_memdev(conf, &device);
    }
    for (size_t i = 0; i < xml.n_memdevs; i++) {
        if (find_memdev(args, xml.memdevs[i].id) == NULL)
            add_memdev(conf, &xml.memdevs[i]);
    }
}

static void
overlay_boot(struct memctx_memconf *conf, const struct memctx_memconf *args,
             bool whole)
{
    if (args->ram_bytes != 0) {
        conf->ram_bytes = args->ram_bytes;
        conf->max_memory_bytes = args->max_memory_bytes;
        conf->slots = args->slots;
    }
    if (args->n_cells > 0) {
        conf->n_cells = args->n_cells;
        memcpy(conf->cells, args->cells, sizeof(conf->cells));
    } else if (whole && args->ram_bytes != 0) {
        conf->n_cells = 0;
    }
    if (args->boot_backend[0] != '\0' || whole)
        memcpy(conf->boot_backend, args->boot_backend,
               sizeof(conf->boot_backend));
}

void
memctx_memconf_overlay(struct memctx_memconf *conf,
                       const struct memctx_memconf *args, bool whole)
{
    overlay_memdevs(conf, args, whole);
    overlay_boot(conf, args, whole);
    if (conf->arch == MEMCTX_ARCH_UNKNOWN)
        conf->arch = args->arch;
    if (args->machine[0] != '\0')
        memcpy(conf->machine, args->machine, sizeof(conf->machine));
    if (whole || args->cpu_model[0] != '\0') {
        memcpy(conf->cpu_model, args->cpu_model, sizeof(conf->cpu_model));
        memcpy(conf->cpu_vendor, args->cpu_vendor, sizeof(conf->cpu_vendor));
    }
    if (whole || args->accel != MEMCTX_ACCEL_UNKNOWN)
        conf->accel = args->accel;
    if (whole || args->max_ram_below_4g != 0)
        conf->max_ram_below_4g = args->max_ram_below_4g;
    if (whole || args->doubt[0] != '\0')
        memcpy(conf->doubt, args->doubt, sizeof(conf->doubt));
    if (whole || args->has_pci_hole64) {
        conf->has_pci_hole64 = args->has_pci_hole64;
        conf->pci_hole64_bytes = args->pci_hole64_bytes;
    }
}

/* Models of target/i386/cpu.c whose vendor is AuthenticAMD and that have a
 * 64-bit mode (athlon has none: 36 bits of addresses, far from 1 TiB). Without
 * a model QEMU takes qemu64; "max" is AMD's under TCG. */
static enum memctx_vendor
vendor_of_model(const char *model)
{
    static const char *const amd[] = {"EPYC", "Opteron_G", "phenom", "qemu64",
                                      "max"};
    if (model[0] == '\0')
        return MEMCTX_VENDOR_AMD;
    if (strcmp(model, "host") == 0 || strcmp(model, "base") == 0)
        return MEMCTX_VENDOR_UNKNOWN;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(amd); i++) {
        if (strncmp(model, amd[i], strlen(amd[i])) == 0)
            return MEMCTX_VENDOR_AMD;
    }
    return MEMCTX_VENDOR_OTHER;
}

/* Models that hosts of any vendor run. */
static bool
is_generic(const char *model)
{
    return model[0] == '\0' || strncmp(model, "qemu", 4) == 0 ||
           strncmp(model, "kvm", 3) == 0 || strcmp(model, "max") == 0 ||
           vendor_of_model(model) == MEMCTX_VENDOR_UNKNOWN;
}

enum memctx_vendor
memctx_memconf_vendor(const struct memctx_memconf *conf, bool *certain)
{
    *certain = true;
    if (conf->cpu_vendor[0] != '\0')
        return strcmp(conf->cpu_vendor, "AuthenticAMD") == 0
                   ? MEMCTX_VENDOR_AMD
                   : MEMCTX_VENDOR_OTHER;
    enum memctx_vendor of_model = vendor_of_model(conf->cpu_model);
    if (conf->accel == MEMCTX_ACCEL_TCG) {
        *certain = of_model != MEMCTX_VENDOR_UNKNOWN;
        return of_model;
    }
    if (conf->accel == MEMCTX_ACCEL_HOST && conf->host != MEMCTX_VENDOR_UNKNOWN)
        return conf->host;
    *certain = false;
    return is_generic(conf->cpu_model) ? MEMCTX_VENDOR_UNKNOWN : of_model;
}
