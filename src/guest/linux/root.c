/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Turns the addresses in a VMCOREINFO into guest-physical ones, on each
 * architecture after its own manner. */
#include "guest/linux/root.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "guest/linux/image.h"

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

/* _text is aligned to CONFIG_PHYSICAL_ALIGN, which is at least 2 MiB on x86-64
 * (arch/x86/Kconfig), and _stext follows it closely. */
static uint64_t
base_of_x86(uint64_t stext_gva)
{
    return stext_gva & ~(2 * MEMCTX_MIB - 1);
}

/* A key that is missing may still come: the kernel writes the text line by
 * line, and the search may look at it in between. So that is RETRY. */
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
                                    "VMCOREINFO of %s has no %s: another "
                                    "architecture's, or still being written",
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
    /* The upper half: a root that maps less of it is a user space's. */
    ret->kernel_gva = UINT64_C(1) << 63;
    ret->base_gva = base_of_x86(value_of(info, MEMCTX_VMCI_STEXT));
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
 * one of these (VMSPLIT_* in arch/x86/Kconfig). VMCOREINFO tells neither that
 * nor whether there is PAE, so each pair that leads into RAM is returned, and
 * the proof decides. */
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
                .base_gva = base_of_x86(value_of(info, MEMCTX_VMCI_STEXT)),
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

/* With 64 KiB pages swapper_pg_dir has entries for 52 bits. On a processor with
 * 48, TTBR1_EL1 points at those for the upper 48 (TTBR1_BADDR_4852_OFFSET in
 * arch/arm64/include/asm/pgtable-hwdef.h), and the others are empty: with 52
 * bits the direct map begins at the first. */
#define UPPER_48 (8 * ((1u << (52 - 42)) - (1u << (48 - 42))))

static bool
is_empty(const struct memctx_rammap *map, uint64_t swapper_gpa)
{
    unsigned char lower[UPPER_48];
    bool empty =
        memctx_rammap_read(map, swapper_gpa, lower, sizeof(lower), NULL) == 0;
    for (size_t i = 0; empty && i < sizeof(lower); i++)
        empty = lower[i] == 0;
    return empty;
}

/* How many bits of virtual address are in use. What TCR_EL1 says counts; before
 * kernels told that, one made for 52 bits may run with 48. */
static uint64_t
va_bits_of(const struct memctx_rammap *map,
           const struct memctx_vmcoreinfo *info, uint64_t swapper_gpa)
{
    uint64_t bits = value_of(info, MEMCTX_VMCI_VA_BITS);
    if (memctx_vmcoreinfo_has(info, MEMCTX_VMCI_T1SZ))
        return 64 - value_of(info, MEMCTX_VMCI_T1SZ);
    return bits == 52 && is_empty(map, swapper_gpa) ? 48 : bits;
}

/* aarch64: kimage_voffset tells where the image is. _text is one segment of 64
 * KiB below _stext (arch/arm64/kernel/vmlinux.lds.S), in older kernels less. */
static int
roots_of_arm(const struct memctx_rammap *map,
             const struct memctx_vmcoreinfo *info,
             struct memctx_linux_root *ret, struct memctx_error *err)
{
    uint64_t to_gpa = -value_of(info, MEMCTX_VMCI_KIMAGE_VOFFSET);
    uint64_t swapper_gpa = value_of(info, MEMCTX_VMCI_SWAPPER) + to_gpa;
    uint64_t granule = value_of(info, MEMCTX_VMCI_PAGESIZE);
    uint64_t bits = va_bits_of(map, info, swapper_gpa);
    struct memctx_linux_root root = {
        .paging = memctx_paging_aarch64(granule, bits),
        .root_gpa = swapper_gpa,
        .to_gpa = to_gpa,
        .base_gva =
            (value_of(info, MEMCTX_VMCI_STEXT) - 1) & ~(64 * MEMCTX_KIB - 1),
    };
    int n = 0;
    if (root.paging == MEMCTX_PAGING_UNKNOWN)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "pages of %" PRIu64 " bytes and addresses of "
                                "%" PRIu64 " bits are no paging of Linux",
                                granule, bits);
    if (is_in_ram(map, &root))
        ret[n++] = root;
    root.root_gpa += UPPER_48;
    if (root.paging == MEMCTX_PAGING_AARCH64_64K_48 && is_in_ram(map, &root))
        ret[n++] = root;
    if (n == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "root gpa %#" PRIx64 " is no page of RAM",
                                swapper_gpa);
    return n;
}

bool
memctx_linux_is_aarch64(const struct memctx_vmcoreinfo *info)
{
    return memctx_vmcoreinfo_has(info, MEMCTX_VMCI_KIMAGE_VOFFSET);
}

/* VMCOREINFO does not name its architecture. A 32-bit kernel is known by its
 * addresses, and has no phys_base. */
static bool
is_narrow(const struct memctx_vmcoreinfo *info)
{
    return memctx_vmcoreinfo_has(info, MEMCTX_VMCI_SWAPPER) &&
           value_of(info, MEMCTX_VMCI_SWAPPER) < FOUR_GIB &&
           value_of(info, MEMCTX_VMCI_STEXT) < FOUR_GIB &&
           value_of(info, MEMCTX_VMCI_UTS) < FOUR_GIB &&
           !memctx_vmcoreinfo_has(info, MEMCTX_VMCI_PHYS_BASE);
}

int
memctx_linux_roots(const struct memctx_rammap *map,
                   const struct memctx_vmcoreinfo *info,
                   struct memctx_linux_root *ret, struct memctx_error *err)
{
    typedef int roots_fn(
        const struct memctx_rammap *map, const struct memctx_vmcoreinfo *info,
        struct memctx_linux_root *ret, struct memctx_error *err);
    roots_fn *roots = root_of_64;
    if (memctx_linux_is_aarch64(info))
        roots = roots_of_arm;
    else if (is_narrow(info))
        roots = roots_of_32;
    if (require_keys(info, roots == root_of_64, err) < 0)
        return -1;
    return roots(map, info, ret, err);
}
