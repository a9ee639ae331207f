/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Turns the addresses in a VMCOREINFO into guest-physical ones, on each x86
 * after its own manner. */
#include "linux_root.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>

#include "bytes.h"
#include "linux.h"

#define FOUR_GIB (4 * MEMCTX_GIB)

static uint64_t
value_of(const struct memctx_vmcoreinfo *info, enum memctx_vmcoreinfo_key key)
{
    return info->value[key];
}

static bool
is_image_gva(uint64_t gva)
{
    return memctx_range_in(gva, 1, MEMCTX_LINUX_IMAGE_MAP,
                           MEMCTX_LINUX_IMAGE_MAP_SIZE);
}

static bool
is_in_ram(const struct memctx_rammap *map, const struct memctx_linux_root *r)
{
    uint64_t size = memctx_paging_root_size(r->paging);
    return r->root_gpa % size == 0 &&
           memctx_rammap_contains(map, r->root_gpa, size);
}

static int
require_keys(const struct memctx_vmcoreinfo *info, bool has_phys_base,
             struct memctx_error *err)
{
    const struct {
        enum memctx_vmcoreinfo_key key;
        const char *name;
        bool wanted;
    } required[] = {
        {MEMCTX_VMCI_SWAPPER, "SYMBOL(swapper_pg_dir)", true},
        {MEMCTX_VMCI_STEXT, "SYMBOL(_stext)", true},
        {MEMCTX_VMCI_UTS, "SYMBOL(init_uts_ns)", true},
        {MEMCTX_VMCI_PHYS_BASE, "NUMBER(phys_base)", has_phys_base},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(required); i++) {
        if (required[i].wanted && !memctx_vmcoreinfo_has(info, required[i].key))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "VMCOREINFO of %s has no %s: not x86, or "
                                    "still being written",
                                    info->release, required[i].name);
    }
    if (value_of(info, MEMCTX_VMCI_L5) > 1)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "pgtable_l5_enabled is neither 0 nor 1");
    return 0;
}

/* x86-64: the image is mapped by itself, and phys_base tells where it is. */
static int
root_of_64(const struct memctx_rammap *map,
           const struct memctx_vmcoreinfo *info, struct memctx_linux_root *ret,
           struct memctx_error *err)
{
    uint64_t swapper = value_of(info, MEMCTX_VMCI_SWAPPER);
    if (!is_image_gva(swapper) ||
        !is_image_gva(value_of(info, MEMCTX_VMCI_STEXT)))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "swapper_pg_dir %#" PRIx64
                                " or _stext is not in the kernel image's GiB",
                                swapper);
    ret->to_gpa =
        value_of(info, MEMCTX_VMCI_PHYS_BASE) - MEMCTX_LINUX_IMAGE_MAP;
    ret->root_gpa = swapper + ret->to_gpa;
    ret->kernel_gva = UINT64_C(1) << 63;
    ret->paging = value_of(info, MEMCTX_VMCI_L5) == 1
                      ? MEMCTX_PAGING_X86_64_5LEVEL
                      : MEMCTX_PAGING_X86_64_4LEVEL;
    if (!is_in_ram(map, ret))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "root gpa %#" PRIx64 " is no page of RAM",
                                ret->root_gpa);
    return 1;
}

/* i386: the image lies in the direct map, which begins at PAGE_OFFSET. It is
 * one of these (VMSPLIT_* in arch/x86/Kconfig). */
static int
roots_of_32(const struct memctx_rammap *map,
            const struct memctx_vmcoreinfo *info, struct memctx_linux_root *ret,
            struct memctx_error *err)
{
    static const uint32_t offsets[] = {0xc0000000, 0x80000000, 0x40000000,
                                       0xb0000000, 0x78000000};
    static const enum memctx_paging formats[] = {MEMCTX_PAGING_X86_PAE,
                                                 MEMCTX_PAGING_X86_2LEVEL};
    static_assert(MEMCTX_ARRAY_LEN(offsets) * MEMCTX_ARRAY_LEN(formats) <=
                      MEMCTX_LINUX_ROOTS_MAX,
                  "there is room for each");
    uint64_t swapper = value_of(info, MEMCTX_VMCI_SWAPPER);
    int n = 0;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(offsets); i++) {
        for (size_t j = 0; j < MEMCTX_ARRAY_LEN(formats); j++) {
            struct memctx_linux_root root = {
                .paging = formats[j],
                .root_gpa = swapper - offsets[i],
                .to_gpa = -(uint64_t)offsets[i],
                .kernel_gva = offsets[i],
            };
            if (swapper >= offsets[i] &&
                value_of(info, MEMCTX_VMCI_STEXT) >= offsets[i] &&
                is_in_ram(map, &root))
                ret[n++] = root;
        }
    }
    if (n == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "swapper_pg_dir %#" PRIx64
                                " or _stext is in no direct map of i386",
                                swapper);
    return n;
}

int
memctx_linux_roots(const struct memctx_rammap *map,
                   const struct memctx_vmcoreinfo *info,
                   struct memctx_linux_root *ret, struct memctx_error *err)
{
    bool narrow = memctx_vmcoreinfo_has(info, MEMCTX_VMCI_SWAPPER) &&
                  value_of(info, MEMCTX_VMCI_SWAPPER) < FOUR_GIB &&
                  value_of(info, MEMCTX_VMCI_STEXT) < FOUR_GIB &&
                  value_of(info, MEMCTX_VMCI_UTS) < FOUR_GIB &&
                  !memctx_vmcoreinfo_has(info, MEMCTX_VMCI_PHYS_BASE);
    if (require_keys(info, !narrow, err) < 0)
        return -1;
    return narrow ? roots_of_32(map, info, ret, err)
                  : root_of_64(map, info, ret, err);
}
