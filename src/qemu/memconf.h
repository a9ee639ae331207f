/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What decides where QEMU puts a guest's RAM, as one source (the command line,
 * domain XML) tells it. Says nothing about where that is: layout.h does. */
#ifndef MEMCTX_MEMCONF_H
#define MEMCTX_MEMCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ram/rammap.h"

#define MEMCTX_CELLS_MAX 128   /* MAX_NODES in QEMU's include/sysemu/numa.h */
#define MEMCTX_MEMDEVS_MAX 256 /* ACPI_MAX_RAM_SLOTS */

enum memctx_arch {
    MEMCTX_ARCH_UNKNOWN = 0, /* not told */
    MEMCTX_ARCH_X86,
    MEMCTX_ARCH_ARM,
    MEMCTX_ARCH_RISCV,
    MEMCTX_ARCH_OTHER, /* s390x, ppc64, ...: none of ours */
};

enum memctx_accel {
    MEMCTX_ACCEL_UNKNOWN = 0, /* not told, or a choice that QEMU made */
    MEMCTX_ACCEL_TCG,
    MEMCTX_ACCEL_HOST, /* KVM: the vCPU has the vendor of the host */
};

enum memctx_vendor {
    MEMCTX_VENDOR_UNKNOWN = 0,
    MEMCTX_VENDOR_AMD,
    MEMCTX_VENDOR_OTHER,
};

enum memctx_memdev_model {
    MEMCTX_MEMDEV_NONE = 0,
    MEMCTX_MEMDEV_DIMM,
    MEMCTX_MEMDEV_NVDIMM,
    MEMCTX_MEMDEV_VIRTIO_MEM,
    MEMCTX_MEMDEV_VIRTIO_PMEM,
};

/* A NUMA cell with a backend of its own. */
struct memctx_cell {
    unsigned node;
    char backend[MEMCTX_BACKEND_NAME_MAX];
    uint64_t size; /* bytes */
};

/* RAM that may be plugged and unplugged. */
struct memctx_memdev {
    enum memctx_memdev_model model;
    char id[MEMCTX_BACKEND_NAME_MAX]; /* the device's; libvirt: its alias */
    char backend[MEMCTX_BACKEND_NAME_MAX];
    uint64_t size; /* of the backend, bytes */
    uint64_t gpa;  /* valid if has_gpa; else QEMU finds a place */
    bool has_gpa;
    uint64_t align;      /* of its place, bytes; 0: not told */
    uint64_t label_size; /* at the end of an NVDIMM, not mapped */
};

/* 0 and "" mean: this source does not tell. */
struct memctx_memconf {
    enum memctx_arch arch;
    char machine[64]; /* QEMU's machine type */
    enum memctx_accel accel;
    enum memctx_vendor host;   /* of the host's CPUs */
    char cpu_model[64];        /* QEMU's name */
    char cpu_vendor[16];       /* given expressly: "AuthenticAMD" */
    uint64_t ram_bytes;        /* boot RAM, without memory devices */
    uint64_t max_memory_bytes; /* -m maxmem= */
    uint64_t slots;
    uint64_t max_ram_below_4g;
    bool has_pci_hole64;
    uint64_t pci_hole64_bytes;
    char doubt[64]; /* an argument that may move RAM, but could not be read; "":
                       there is none */
    char boot_backend[MEMCTX_BACKEND_NAME_MAX]; /* when there are no cells */
    size_t n_cells;
    struct memctx_cell cells[MEMCTX_CELLS_MAX]; /* in any order */
    size_t n_memdevs;
    struct memctx_memdev memdevs[MEMCTX_MEMDEVS_MAX]; /* as plugged */
};

enum memctx_arch memctx_memconf_arch(const char *name);

/* Lay what `args` tells over what `conf` (from domain XML) tells: where both
 * speak, the arguments count. `whole`: they are all arguments of the process,
 * so what they do not give has QEMU's default; else they are some that were
 * appended. Devices of the XML that the arguments lack were plugged later, and
 * come behind. A device of the arguments with a name such as libvirt gives,
 * which is not in the XML, was unplugged. */
void memctx_memconf_overlay(struct memctx_memconf *conf,
                            const struct memctx_memconf *args, bool whole);

/* The vendor of the vCPUs, and whether that is certain. QEMU sets it by the
 * model, or with KVM by the host's CPUs (target/i386/host-cpu.c, 6.1). */
enum memctx_vendor memctx_memconf_vendor(const struct memctx_memconf *conf,
                                         bool *certain);

#endif
