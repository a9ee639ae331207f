/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* aarch64 as in the Arm ARM (DDI 0487), D8.2 "Translation process" and D8.3
 * "Translation table descriptor formats". */
#include "armimg.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where things lie in the image of a kernel, in bytes from _text. */
#define IMAGE_STEXT UINT64_C(0x10000)
#define IMAGE_RODATA UINT64_C(0x200000)
#define IMAGE_SWAPPER UINT64_C(0x240000)
#define IMAGE_DATA UINT64_C(0x400000)
#define IMAGE_JIFFIES UINT64_C(0x400040)
#define IMAGE_UTS UINT64_C(0x580180)
#define IMAGE_SIZE UINT64_C(0x800000)

int
armimg_levels(const struct armimg_space *space)
{
    unsigned bits = space->granule_shift - 3;
    return (int)((space->va_bits - space->granule_shift + bits - 1) / bits);
}

static unsigned
shift_of(const struct armimg_space *space, int n)
{
    return space->granule_shift +
           (space->granule_shift - 3) * (unsigned)(n - 1);
}

uint64_t
armimg_span(const struct armimg_space *space, int n)
{
    return UINT64_C(1) << shift_of(space, n);
}

uint64_t
armimg_address(const struct armimg_space *space, uint64_t gpa)
{
    if (space->granule_shift == 16)
        return (gpa & ~(UINT64_C(15) << 48)) | (gpa >> 48 & 15) << 12;
    return (gpa & ~(UINT64_C(3) << 50)) | (gpa >> 50 & 3) << 8;
}

static uint64_t
address_in(const struct armimg_space *space, uint64_t entry)
{
    uint64_t mask = (UINT64_C(1) << 48) - (UINT64_C(1) << space->granule_shift);
    if (space->granule_shift == 16)
        return (entry & mask) | (entry >> 12 & 15) << 48;
    if (space->va_bits < 52)
        return entry & mask;
    return (entry & (mask | UINT64_C(3) << 48)) | (entry >> 8 & 3) << 50;
}

uint64_t
armimg_entry(struct guestimg *img, const struct armimg_space *space,
             uint64_t gva, int n)
{
    uint64_t granule = UINT64_C(1) << space->granule_shift;
    uint64_t table = space->root_gpa;
    uint64_t left = gva & ((UINT64_C(1) << space->va_bits) - 1);
    for (int level = armimg_levels(space);; level--) {
        uint64_t at = table + (left >> shift_of(space, level)) * 8;
        left &= armimg_span(space, level) - 1;
        if (level == n)
            return at;
        uint64_t entry = guestimg_read_le64(img, at);
        if ((entry & ARMIMG_VALID) == 0) {
            img->free_gpa += (granule - img->free_gpa % granule) % granule;
            entry = armimg_address(space, img->free_gpa) | ARMIMG_VALID |
                    ARMIMG_TABLE | space->table_flags;
            img->free_gpa += granule;
            guestimg_write_le64(img, at, entry);
        }
        table = address_in(space, entry);
    }
}

void
armimg_map(struct guestimg *img, const struct armimg_space *space, uint64_t gva,
           uint64_t gpa, int n, uint64_t flags)
{
    guestimg_write_le64(img, armimg_entry(img, space, gva, n),
                        armimg_address(space, gpa) | flags | ARMIMG_VALID |
                            (n == 1 ? ARMIMG_TABLE : 0));
}

struct armimg_kernel
armimg_kernel(void)
{
    return (struct armimg_kernel){
        .granule_shift = 12,
        .va_bits = 48,
        .config_va_bits = 48,
        .t1sz = "NUMBER(TCR_EL1_T1SZ)",
        .release = "6.1.0-50-cloud-arm64",
        .text_flags = ARMIMG_RDONLY | ARMIMG_UXN | ARMIMG_AF,
        .text_gpa = MEMCTX_GIB + 16 * MEMCTX_MIB,
        .text_gva = UINT64_C(0xffffaa84bd400000),
        .note_gpa = MEMCTX_GIB + 40 * MEMCTX_MIB,
    };
}

static void
add_line(const struct armimg_kernel *k, char text[2048], const char *line)
{
    if (k->without == NULL ||
        strncmp(line, k->without, strlen(k->without)) != 0)
        snprintf(text + strlen(text), 2048 - strlen(text), "%s\n", line);
}

/* The order of kernel/vmcore_info.c and arch/arm64/kernel/vmcore_info.c */
static void
write_note(const struct guestimg *img, const struct armimg_kernel *k)
{
    char text[2048] = "";
    char line[160];
#define ADD(...)                                   \
    do {                                           \
        snprintf(line, sizeof(line), __VA_ARGS__); \
        add_line(k, text, line);                   \
    } while (0)
    ADD("OSRELEASE=%s", k->release);
    ADD("BUILD-ID=aa1baf2841c8b47296c91289f85df12f6c8b8bf2");
    ADD("PAGESIZE=%u", 1u << k->granule_shift);
    ADD("SYMBOL(init_uts_ns)=%" PRIx64, k->text_gva + IMAGE_UTS);
    ADD("OFFSET(uts_namespace.name)=0");
    ADD("SYMBOL(swapper_pg_dir)=%" PRIx64, k->text_gva + IMAGE_SWAPPER);
    ADD("SYMBOL(_stext)=%" PRIx64, k->text_gva + IMAGE_STEXT);
    ADD("NUMBER(VA_BITS)=%u", k->config_va_bits);
    ADD("NUMBER(kimage_voffset)=0x%" PRIx64,
        k->text_gva - k->text_gpa + k->lie);
    if (k->t1sz != NULL)
        ADD("%s=0x%x", k->t1sz, 64 - k->va_bits);
    ADD("KERNELOFFSET=4a84b5400000");
    guestimg_write_note(img, k->note_gpa, text, strlen(text));
}

static void
write_uts(const struct guestimg *img, const struct armimg_kernel *k)
{
    char uts[6 * 65] = "Linux";
    snprintf(uts + 2 * 65, 65, "%s",
             k->uts_release != NULL ? k->uts_release : k->release);
    strcpy(uts + 3 * 65, "#1 SMP");
    guestimg_write(img, k->uts_gpa, uts, sizeof(uts));
}

void
armimg_add_kernel(struct guestimg *img, struct armimg_kernel *k)
{
    uint64_t granule = UINT64_C(1) << k->granule_shift;
    k->swapper_gpa = k->text_gpa + IMAGE_SWAPPER;
    k->root_gpa = k->swapper_gpa + (k->upper_48 ? 960 * 8 : 0);
    k->uts_gpa = k->text_gpa + IMAGE_UTS;
    k->jiffies_gpa = k->text_gpa + IMAGE_JIFFIES;
    const struct armimg_space space = {k->root_gpa, k->granule_shift,
                                       k->va_bits, 0};
    for (uint64_t at = IMAGE_STEXT; at < IMAGE_SIZE; at += granule) {
        uint64_t flags = at < IMAGE_RODATA ? k->text_flags
                         : at < IMAGE_DATA
                             ? ARMIMG_RDONLY | ARMIMG_PXN | ARMIMG_UXN
                             : ARMIMG_PXN | ARMIMG_UXN;
        armimg_map(img, &space, k->text_gva + at, k->text_gpa + at, 1,
                   flags | ARMIMG_AF);
    }
    write_uts(img, k);
    write_note(img, k);
}
