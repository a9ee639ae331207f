/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where a Linux kernel's root page table must be if its VMCOREINFO is true. */
#ifndef MEMCTX_LINUX_ROOT_H
#define MEMCTX_LINUX_ROOT_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "paging.h"
#include "rammap.h"
#include "vmcoreinfo.h"

/* One possibility. To be proved: nothing of it has been walked. */
struct memctx_linux_root {
    enum memctx_paging paging;
    uint64_t root_gpa;   /* of swapper_pg_dir; RAM, aligned */
    uint64_t to_gpa;     /* add it to a gva of the image: gpa, modulo 2^64 */
    uint64_t kernel_gva; /* the first address that is not user space's */
};

#define MEMCTX_LINUX_ROOTS_MAX 10

/* Work out the possibilities: one on x86-64; on i386, which tells neither
 * PAGE_OFFSET nor for sure whether it uses PAE, up to MEMCTX_LINUX_ROOTS_MAX.
 * Their number, or -1 with RETRY: a key is missing, an address is not in the
 * kernel, no possibility lies in RAM. */
int memctx_linux_roots(const struct memctx_rammap *map,
                       const struct memctx_vmcoreinfo *info,
                       struct memctx_linux_root *ret, struct memctx_error *err);

#endif
