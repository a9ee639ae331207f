/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest, for those who say it in a tool's words. */
#ifndef MEMCTX_EXPORT_SUBJECT_H
#define MEMCTX_EXPORT_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "datum/datum.h"
#include "explain/banner.h"
#include "explain/btf.h"
#include "explain/symbols.h"
#include "explain/taskfields.h"
#include "ram/rammap.h"

/* What is exported; all of it is the caller's. */
struct memctx_export_subject {
    const struct memctx_datum *datum;
    const char *domain; /* as the user named it; NULL: of no domain */
    const char *name;   /* as libvirt names it; NULL: as `domain` */
    const char *uuid;   /* NULL: not known */
    /* Where RAM is: in order of gpa, `backend` an index of `paths`. */
    const struct memctx_extent *extents;
    size_t n_extents;
    const char *const *paths; /* absolute, of each backend's file; NULL: not
                                 known */
    size_t n_backends;
    bool has_own_memory;    /* some of it is QEMU's own, in no file */
    const char *vmcoreinfo; /* the text in RAM; NULL: not known */
    size_t vmcoreinfo_len;  /* bytes */
    uint64_t base_gpa;      /* of kernel.base_gva; 0: not known */
    /* What a Linux says of itself; NULL: not asked for, or not known. */
    const struct memctx_btf *btf;
    const struct memctx_symbols *symbols;
    const struct memctx_banner *banner;
    const struct memctx_taskfields *tasks;
};

#endif
