/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Builds aarch64 page tables and kernels in RAM. It encodes descriptors by the
 * manual, on its own, so that a mistake in src/ is not made here, too. */
#ifndef MEMCTX_TESTS_ARMIMG_H
#define MEMCTX_TESTS_ARMIMG_H

#include "guestimg.h"

#define ARMIMG_VALID UINT64_C(1)
#define ARMIMG_TABLE UINT64_C(2) /* or a page at the last level */
#define ARMIMG_EL0 (UINT64_C(1) << 6)
#define ARMIMG_RDONLY (UINT64_C(1) << 7)
#define ARMIMG_AF (UINT64_C(1) << 10)
#define ARMIMG_CONT (UINT64_C(1) << 52)
#define ARMIMG_PXN (UINT64_C(1) << 53)
#define ARMIMG_UXN (UINT64_C(1) << 54)

/* What TTBR1_EL1 and TCR_EL1 say. */
struct armimg_space {
    uint64_t root_gpa;
    unsigned granule_shift; /* 12, 14, 16 */
    unsigned va_bits;
    uint64_t table_flags; /* of the tables that armimg_map() makes */
};

/* How many levels there are, and the bytes that an entry of level n (1: the
 * last) stands for. */
int armimg_levels(const struct armimg_space *space);
uint64_t armimg_span(const struct armimg_space *space, int n);

/* The address bits of a descriptor. */
uint64_t armimg_address(const struct armimg_space *space, uint64_t gpa);

/* GPA of the entry for gva at level n; tables above are made where there are
 * none. */
uint64_t armimg_entry(struct guestimg *img, const struct armimg_space *space,
                      uint64_t gva, int n);

/* Map one page (n 1) or block (n above 1) with these flags. */
void armimg_map(struct guestimg *img, const struct armimg_space *space,
                uint64_t gva, uint64_t gpa, int n, uint64_t flags);

/* A kernel: what is wanted, and below it what came of that. */
struct armimg_kernel {
    unsigned granule_shift;
    unsigned va_bits;        /* in use */
    unsigned config_va_bits; /* NUMBER(VA_BITS) */
    bool upper_48;           /* TTBR1_EL1 points behind swapper_pg_dir */
    const char *t1sz;        /* name of the key; NULL: none */
    const char *release;
    const char *uts_release; /* NULL: the same */
    const char *without;     /* line that VMCOREINFO lacks, by its beginning */
    uint64_t lie;            /* added to kimage_voffset in VMCOREINFO */
    uint64_t text_flags;     /* of the pages of code */
    uint64_t text_gpa;       /* of _text; 2 MiB aligned */
    uint64_t text_gva;
    uint64_t note_gpa;

    uint64_t swapper_gpa;
    uint64_t root_gpa;
    uint64_t uts_gpa;
    uint64_t jiffies_gpa;
};

/* 6.1 with 4 KiB and 48 bits in 64 MiB of RAM from 1 GiB on. */
struct armimg_kernel armimg_kernel(void);
void armimg_add_kernel(struct guestimg *img, struct armimg_kernel *kernel);

#endif
