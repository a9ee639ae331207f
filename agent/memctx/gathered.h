/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What an export takes of a guest's own memory: the types, symbols and banner
 * of its kernel, where it begins. */
#ifndef MEMCTX_GATHERED_H
#define MEMCTX_GATHERED_H

#include "export/export.h"
#include "memctx/explained.h"

/* Initialise with GATHERED_INIT. NULL and 0: not known. */
struct gathered {
    struct memctx_btf *btf;         /* owned */
    struct memctx_symbols *symbols; /* owned */
    uint64_t base_gpa;
    bool has_banner;
    bool has_tasks;
    struct memctx_banner banner;
    struct memctx_taskfields tasks;
};

#define GATHERED_INIT \
    {                 \
        .btf = NULL   \
    }

void gathered_deinit(struct gathered *gathered);

/* Read what is in `wants` (enum memctx_export_want) from a guest that
 * explained_enter() has entered. What cannot be read of what is not in `needs`
 * is left out. 0, or -1 as functions of src/explain, or as explained_end(). */
int gathered_read(struct explained *explained, unsigned needs, unsigned wants,
                  struct gathered *ret, struct memctx_error *err);

/* Let the subject point to it; it must outlive the subject. */
void gathered_put(const struct gathered *gathered,
                  struct memctx_export_subject *subject);

#endif
