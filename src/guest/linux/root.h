/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where a Linux kernel's root page table must be if its VMCOREINFO is true. */
#ifndef MEMCTX_LINUX_ROOT_H
#define MEMCTX_LINUX_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "paging/paging.h"
#include "ram/rammap.h"
#include "guest/linux/vmcoreinfo.h"

/* Where RAM begins on QEMU's machine "virt" of ARM (hw/arm/virt.c). */
#define MEMCTX_LINUX_ARM_RAM UINT64_C(0x40000000)

/* One possibility. To be proved: nothing of it has been walked. */
struct memctx_linux_root {
    enum memctx_paging paging;
    uint64_t root_gpa;   /* what CR3 or TTBR1_EL1 points at; RAM, aligned */
    uint64_t to_gpa;     /* add it to a gva of the image: gpa, modulo 2^64 */
    uint64_t kernel_gva; /* the first address that is not user space's; 0: the
                            root has no part for user space */
    uint64_t base_gva;   /* _text, where the image begins */
};

#define MEMCTX_LINUX_ROOTS_MAX 10

/* Is it the VMCOREINFO of a kernel for aarch64? */
bool memctx_linux_is_aarch64(const struct memctx_vmcoreinfo *info);

/* Work out the possibilities: one on x86-64; on i386, which tells neither
 * PAGE_OFFSET nor for sure whether it uses PAE, up to MEMCTX_LINUX_ROOTS_MAX;
 * on aarch64 a few. Their number, or -1 with RETRY: a key is missing, an
 * address is not in the kernel, no possibility lies in RAM. */
int memctx_linux_roots(const struct memctx_rammap *map,
                       const struct memctx_vmcoreinfo *info,
                       struct memctx_linux_root *ret, struct memctx_error *err);

#endif
