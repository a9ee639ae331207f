/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The System process, by which a root proves to be the kernel's. */
#ifndef MEMCTX_WINDOWS_SYSTEM_H
#define MEMCTX_WINDOWS_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/kernel.h"
#include "paging/view.h"
#include "guest/windows/image.h"
#include "guest/windows/kuser.h"

struct memctx_windows_system {
    uint64_t pointer_gva; /* PsInitialSystemProcess, the variable */
    uint64_t eprocess_gva;
    uint64_t root_gpa;    /* by its DirectoryTableBase */
    uint64_t create_time; /* 100 ns since 1601; 0: not known */
    struct memctx_windows_offsets offsets;
};

/* Follow the image's PsInitialSystemProcess to an EPROCESS with pid 4 and name
 * "System". Offsets come from the code of the image's getters; where one
 * cannot be read, or leads elsewhere, the field is looked for, but its offset
 * stays 0. 0 and *ret, which does not say that root_gpa is that of `view`; or
 * -1 with RETRY or GONE. Any thread. */
int memctx_windows_system_read(struct memctx_view *view,
                               const struct memctx_windows_image *image,
                               struct memctx_windows_system *ret,
                               struct memctx_error *err);

/* Is the EPROCESS that an earlier read found still that of the System process,
 * and of `view`'s root? pointer_gva: of PsInitialSystemProcess, which must lead
 * there; 0: not known. All this is nonpaged memory. 0, or -1 with RETRY or
 * GONE. Any thread. */
int memctx_windows_system_stands(struct memctx_view *view, uint64_t pointer_gva,
                                 uint64_t eprocess_gva,
                                 const struct memctx_windows_offsets *offsets,
                                 struct memctx_error *err);

/* When this System process began, if a field of it says that it was when the
 * clock says that the system did: CreateTime, where no getter tells where that
 * is. 0: none does. About 250 reads. Any thread. */
uint64_t memctx_windows_system_began(struct memctx_view *view,
                                     uint64_t eprocess_gva,
                                     const struct memctx_windows_kuser *kuser);

/* The table in a DirectoryTableBase, without the bits that are no address, such
 * as the PCID of KVA shadow, or the ASID. On aarch64 it is what TTBR0_EL1
 * points at. */
uint64_t memctx_windows_dtb_gpa(const struct memctx_view *view, uint64_t dtb);

/* Does an EPROCESS seem to be at gva? */
bool memctx_windows_is_process(struct memctx_view *view, uint64_t gva);

/* Is it an address of the kernel's half? */
bool memctx_windows_is_kernel_gva(const struct memctx_view *view, uint64_t gva);

#endif
