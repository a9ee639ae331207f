/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel's own PE image in its address space: who it is, and where it keeps
 * what it exports. */
#ifndef MEMCTX_WINDOWS_IMAGE_H
#define MEMCTX_WINDOWS_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/kernel.h"
#include "paging/view.h"

/* What we ask an image for; an address of 0: it is not exported. */
enum memctx_windows_export {
    MEMCTX_WINDOWS_SYSTEM_PROCESS,  /* PsInitialSystemProcess */
    MEMCTX_WINDOWS_BUILD_NUMBER,    /* NtBuildNumber */
    MEMCTX_WINDOWS_GET_PID,         /* PsGetProcessId */
    MEMCTX_WINDOWS_GET_IMAGE_NAME,  /* PsGetProcessImageFileName */
    MEMCTX_WINDOWS_GET_CREATE_TIME, /* PsGetProcessCreateTimeQuadPart */
    MEMCTX_WINDOWS_EXPORTS
};

/* Bytes of the image that Windows never pages out. */
struct memctx_windows_resident {
    uint32_t rva;
    uint32_t size;
};
#define MEMCTX_WINDOWS_RESIDENT_MAX 4

struct memctx_windows_image {
    uint64_t base_gva;
    uint32_t size;                      /* 0: not known */
    uint32_t build;                     /* of NtBuildNumber; 0: not known */
    char identity[MEMCTX_IDENTITY_MAX]; /* PDB/GUID/age; "": not known */
    uint64_t exports_gva[MEMCTX_WINDOWS_EXPORTS];
    bool
        is_incomplete; /* a page of the exports could not be read; then only: */
    bool by_sections;  /* known by its sections or its PDB, not by its name */
    bool by_exports;   /* known by its name, but its headers are not there */
    struct memctx_windows_resident resident[MEMCTX_WINDOWS_RESIDENT_MAX];
    size_t n_resident; /* where it may keep PsInitialSystemProcess */
};

/* Is there an image at gva whose export directory says ntoskrnl.exe, or one of
 * the names that kernels are built under (ntkrla57.exe); or, where
 * that cannot be read, one with the sections or the PDB of a kernel? 0 and
 * *ret, or -1 with RETRY (what is wrong with it) or GONE, and of *ret only
 * is_incomplete says anything: it may be ntoskrnl.exe all the same. Reads the
 * headers, up to 32 debug entries, 96 sections and the names of up to 16384
 * exports. Any thread. */
int memctx_windows_image_read(struct memctx_view *view, uint64_t gva,
                              struct memctx_windows_image *ret,
                              struct memctx_error *err);

#define MEMCTX_WINDOWS_EXPORT_DIRECTORY 40u /* bytes */

/* The same of an image whose headers are not there: do these bytes, which begin
 * the page at gva, begin its export directory? That is a section of its own,
 * and says where in the image it is. What only headers tell is not known then.
 * Reads nothing where the bytes are no such directory. Any thread. */
bool memctx_windows_image_by_exports(
    struct memctx_view *view, uint64_t gva,
    const unsigned char head[MEMCTX_WINDOWS_EXPORT_DIRECTORY],
    struct memctx_windows_image *ret);

#endif
