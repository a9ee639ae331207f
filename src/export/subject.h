/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest, for those who say it in a tool's words. */
#ifndef MEMCTX_EXPORT_SUBJECT_H
#define MEMCTX_EXPORT_SUBJECT_H

#include <stddef.h>

#include "datum/datum.h"
#include "explain/banner.h"
#include "explain/btf.h"
#include "explain/symbols.h"
#include "ram/rammap.h"

/* What is exported; all of it is the caller's. */
struct memctx_export_subject {
    const struct memctx_datum *datum;
    const char *domain; /* its name; NULL: of no domain */
    const char *uuid;   /* NULL: not known */
    /* Where RAM is: in order of gpa, `backend` an index of `paths`. */
    const struct memctx_extent *extents;
    size_t n_extents;
    const char *const *paths; /* absolute, of each backend's file; NULL: not
                                 known */
    size_t n_backends;
    const char *vmcoreinfo; /* the text in RAM; NULL: not known */
    size_t vmcoreinfo_len;  /* bytes */
    /* What a Linux says of itself; NULL: not asked for. */
    const struct memctx_btf *btf;
    const struct memctx_symbols *symbols;
    const struct memctx_banner *banner;
};

#endif
