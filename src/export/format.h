/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The formats behind memctx_export(), and what they share. Each adds its text;
 * -1 with PERMANENT: the tool cannot express this guest. What its row in the
 * table asks for is there when it is called. */
#ifndef MEMCTX_EXPORT_FORMAT_H
#define MEMCTX_EXPORT_FORMAT_H

#include "export/subject.h"
#include "text/text.h"

typedef int memctx_export_fn(const struct memctx_export_subject *subject,
                             struct memctx_text *text,
                             struct memctx_error *err);

memctx_export_fn memctx_export_json;
memctx_export_fn memctx_export_shell;
memctx_export_fn memctx_export_xml;
memctx_export_fn memctx_export_vmcoreinfo;
memctx_export_fn memctx_export_drgn;
memctx_export_fn memctx_export_crash;
memctx_export_fn memctx_export_volatility3;
memctx_export_fn memctx_export_memprocfs;
memctx_export_fn memctx_export_memflow;
memctx_export_fn memctx_export_libvmi;

/* Is RAM one file in which every offset is the guest-physical address? */
bool memctx_export_is_flat(const struct memctx_export_subject *subject);

/* Is all RAM in one file, in whatever pieces? */
bool memctx_export_is_one_file(const struct memctx_export_subject *subject);

/* One row for each name that `paging` may begin with ("x86-" is both formats
 * of 32 bits), and a tool's own word for it; a row without prefix ends it. */
struct memctx_export_word {
    const char *prefix;
    const char *word;
};

/* The word for the subject's paging; NULL: there is none. */
const char *memctx_export_paging_word(
    const struct memctx_export_subject *subject,
    const struct memctx_export_word *words);

#endif
