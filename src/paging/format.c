/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The formats of x86 and of the upper half of aarch64, as tables. */
#include "paging/format.h"

#include <assert.h>
#include <elf.h>
#include <string.h>

/* clang-format off */
#define NO_BITS {0, 0}
#define ZERO(bits) {(bits), 0}
#define SET(bits) {(bits), (bits)}

static const struct memctx_paging_arch
    arch_x86_64 = {EM_X86_64, 8},
    arch_i386 = {EM_386, 4},
    arch_aarch64 = {EM_AARCH64, 8};

/* ---- x86 (SDM volume 3A, 4.3 to 4.5) ---- */

/* Tables and pages have their rights in the same bits. */
#define X86_RIGHTS {SET(MEMCTX_PTE_WRITE), SET(MEMCTX_PTE_USER), \
                    ZERO(MEMCTX_PTE_NX)}
#define X86_FRAME {MEMCTX_PTE_FRAME, 0, 0}

static const struct memctx_paging_encoding x86 = {
    SET(MEMCTX_PTE_LARGE), X86_FRAME, X86_FRAME, X86_RIGHTS, X86_RIGHTS};

/* SDM tables 4-4 to 4-6. PSE-36: bits 20:13 of a large page are bits 39:32 of
 * its address. */
static const struct memctx_paging_encoding old_x86 = {
    SET(MEMCTX_PTE_LARGE),
    {MEMCTX_PTE_BITS(31, 12), 0, 0},
    {MEMCTX_PTE_BITS(31, 22), MEMCTX_PTE_BITS(20, 13), 19},
    X86_RIGHTS, X86_RIGHTS};

/* SDM tables 4-15 to 4-20. Bits that are reserved because the processor has
 * few address bits are not refused: nobody here knows how many it has. */
static const struct memctx_paging_level long_levels[] = {
    [1] = {12, false, true, NO_BITS, NO_BITS},
    [2] = {21, true, true, NO_BITS, ZERO(MEMCTX_PTE_BITS(20, 13))},
    [3] = {30, true, true, NO_BITS, ZERO(MEMCTX_PTE_BITS(29, 13))},
    [4] = {39, false, true, ZERO(MEMCTX_PTE_LARGE), NO_BITS},
    [5] = {48, false, true, ZERO(MEMCTX_PTE_LARGE), NO_BITS},
};

/* SDM tables 4-8 to 4-11: bits 62:52 are reserved on every processor, and the
 * entries of the root have no rights. Their bit 5 is reserved, too, but QEMU's
 * TCG (seen with 7.2) sets it there as the accessed bit of any other table. */
#define PAE_HIGH MEMCTX_PTE_BITS(62, 52)
static const struct memctx_paging_level pae_levels[] = {
    [1] = {12, false, true, ZERO(PAE_HIGH), NO_BITS},
    [2] = {21, true, true, ZERO(PAE_HIGH),
           ZERO(PAE_HIGH | MEMCTX_PTE_BITS(20, 13))},
    [3] = {30, false, false,
           ZERO(MEMCTX_PTE_BITS(63, 52) | MEMCTX_PTE_BITS(8, 6) |
                MEMCTX_PTE_BITS(2, 1)),
           NO_BITS},
};

static const struct memctx_paging_level old_levels[] = {
    [1] = {12, false, true, NO_BITS, NO_BITS},
    [2] = {22, true, true, NO_BITS, ZERO(MEMCTX_PTE_BITS(21, 21))},
};

/* ---- aarch64 (Arm ARM DDI 0487, D8.3 "Translation table descriptor
 * formats") ----
 *
 * Bit 1 tells a table, or a page of the last level, from a block. AP[2] forbids
 * to write, AP[1] is for EL0, PXN is what keeps the kernel from executing; a
 * table may forbid, too (APTable, PXNTable). The contiguous bit is a hint to
 * the TLB: each entry of such a run maps its own page. */
#define ARM_NOT_BLOCK MEMCTX_PTE_BITS(1, 1)
#define ARM_PAGE {ZERO(MEMCTX_PTE_BITS(7, 7)), SET(MEMCTX_PTE_BITS(6, 6)), \
                  ZERO(MEMCTX_PTE_BITS(53, 53))}
#define ARM_TABLE {ZERO(MEMCTX_PTE_BITS(62, 62)), \
                   ZERO(MEMCTX_PTE_BITS(61, 61)), \
                   ZERO(MEMCTX_PTE_BITS(59, 59))}
#define ARM(...) \
    {ZERO(ARM_NOT_BLOCK), {__VA_ARGS__}, {__VA_ARGS__}, ARM_PAGE, ARM_TABLE}

/* 48 bits of address; 52 where a granule of 64 KiB has room for bits 51:48 in
 * 15:12, or where TCR_EL1.DS puts bits 51:50 in 9:8 (FEAT_LPA2). Linux sets
 * DS where it has virtual addresses of 52 bits, and only there. */
static const struct memctx_paging_encoding
    arm_4k = ARM(MEMCTX_PTE_BITS(47, 12), 0, 0),
    arm_16k = ARM(MEMCTX_PTE_BITS(47, 14), 0, 0),
    arm_64k = ARM(MEMCTX_PTE_BITS(47, 16), MEMCTX_PTE_BITS(15, 12), 36),
    arm_4k_far = ARM(MEMCTX_PTE_BITS(49, 12), MEMCTX_PTE_BITS(9, 8), 42),
    arm_16k_far = ARM(MEMCTX_PTE_BITS(49, 14), MEMCTX_PTE_BITS(9, 8), 42);

/* Bits 49:48 belong to no address but with DS. */
#define NEAR MEMCTX_PTE_BITS(49, 48)
#define TABLE(shift, zero) \
    {(shift), false, true, {(zero) | ARM_NOT_BLOCK, ARM_NOT_BLOCK}, NO_BITS}
#define BLOCK(shift, zero) \
    {(shift), true, true, {(zero) | ARM_NOT_BLOCK, ARM_NOT_BLOCK}, ZERO(zero)}

static const struct memctx_paging_level
    arm_4k_levels[] = {[1] = TABLE(12, NEAR), [2] = BLOCK(21, NEAR),
                       [3] = BLOCK(30, NEAR), [4] = TABLE(39, NEAR)},
    arm_16k_levels[] = {[1] = TABLE(14, NEAR), [2] = BLOCK(25, NEAR),
                        [3] = TABLE(36, NEAR), [4] = TABLE(47, NEAR)},
    arm_64k_levels[] = {[1] = TABLE(16, NEAR), [2] = BLOCK(29, NEAR),
                        [3] = BLOCK(42, NEAR)},
    arm_4k_far_levels[] = {[1] = TABLE(12, 0), [2] = BLOCK(21, 0),
                           [3] = BLOCK(30, 0), [4] = BLOCK(39, 0),
                           [5] = TABLE(48, 0)},
    arm_16k_far_levels[] = {[1] = TABLE(14, 0), [2] = BLOCK(25, 0),
                            [3] = BLOCK(36, 0), [4] = TABLE(47, 0)};

#define AARCH64(name, levels, bits, granule) \
    {"aarch64-" name, &arch_aarch64, (levels), (bits), MEMCTX_ABOVE_ONES, 8, \
     &arm_##granule, arm_##granule##_levels}

static const struct memctx_paging_format formats[] = {
    [MEMCTX_PAGING_UNKNOWN] = {.name = NULL},
    [MEMCTX_PAGING_X86_64_4LEVEL] = {"x86_64-4level", &arch_x86_64, 4, 48,
                                     MEMCTX_ABOVE_SIGN, 8, &x86, long_levels},
    [MEMCTX_PAGING_X86_64_5LEVEL] = {"x86_64-5level", &arch_x86_64, 5, 57,
                                     MEMCTX_ABOVE_SIGN, 8, &x86, long_levels},
    [MEMCTX_PAGING_X86_PAE] = {"x86-pae", &arch_i386, 3, 32,
                               MEMCTX_ABOVE_ZEROS, 8, &x86, pae_levels},
    [MEMCTX_PAGING_X86_2LEVEL] = {"x86-2level", &arch_i386, 2, 32,
                                  MEMCTX_ABOVE_ZEROS, 4, &old_x86, old_levels},
    [MEMCTX_PAGING_AARCH64_4K_39] = AARCH64("4k-39", 3, 39, 4k),
    [MEMCTX_PAGING_AARCH64_4K_47] = AARCH64("4k-47", 4, 47, 4k),
    [MEMCTX_PAGING_AARCH64_4K_48] = AARCH64("4k-48", 4, 48, 4k),
    [MEMCTX_PAGING_AARCH64_4K_52] = AARCH64("4k-52", 5, 52, 4k_far),
    [MEMCTX_PAGING_AARCH64_16K_36] = AARCH64("16k-36", 2, 36, 16k),
    [MEMCTX_PAGING_AARCH64_16K_47] = AARCH64("16k-47", 3, 47, 16k),
    [MEMCTX_PAGING_AARCH64_16K_48] = AARCH64("16k-48", 4, 48, 16k),
    [MEMCTX_PAGING_AARCH64_16K_52] = AARCH64("16k-52", 4, 52, 16k_far),
    [MEMCTX_PAGING_AARCH64_64K_42] = AARCH64("64k-42", 2, 42, 64k),
    [MEMCTX_PAGING_AARCH64_64K_48] = AARCH64("64k-48", 3, 48, 64k),
    [MEMCTX_PAGING_AARCH64_64K_52] = AARCH64("64k-52", 3, 52, 64k),
};
/* clang-format on */
static_assert(MEMCTX_ARRAY_LEN(formats) == MEMCTX_PAGINGS,
              "every paging mode has a format");

const char *
memctx_paging_name(enum memctx_paging paging)
{
    return paging < MEMCTX_PAGINGS ? formats[paging].name : NULL;
}

enum memctx_paging
memctx_paging_from_name(const char *name)
{
    for (unsigned i = 1; i < MEMCTX_PAGINGS; i++) {
        if (strcmp(formats[i].name, name) == 0)
            return (enum memctx_paging)i;
    }
    return MEMCTX_PAGING_UNKNOWN;
}

enum memctx_paging
memctx_paging_aarch64(uint64_t granule, uint64_t va_bits)
{
    for (unsigned i = 1; i < MEMCTX_PAGINGS; i++) {
        const struct memctx_paging_format *format = &formats[i];
        if (format->arch == &arch_aarch64 && format->va_bits == va_bits &&
            UINT64_C(1) << format->level[1].shift == granule)
            return (enum memctx_paging)i;
    }
    return MEMCTX_PAGING_UNKNOWN;
}

const struct memctx_paging_format *
memctx_paging_format(enum memctx_paging paging)
{
    assert(paging > MEMCTX_PAGING_UNKNOWN && paging < MEMCTX_PAGINGS);
    return &formats[paging];
}

uint64_t
memctx_paging_root_size(enum memctx_paging paging)
{
    const struct memctx_paging_format *format = memctx_paging_format(paging);
    return (uint64_t)format->entry_bytes
           << memctx_paging_index_bits(format, format->levels);
}
