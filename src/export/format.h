/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The formats behind memctx_export(), and what they share. Each adds its text;
 * -1 with PERMANENT: the tool cannot express this guest. What its row in the
 * table asks for is there when it is called. */
#ifndef MEMCTX_EXPORT_FORMAT_H
#define MEMCTX_EXPORT_FORMAT_H

#include "export/subject.h"
#include "text/sink.h"
#include "text/text.h"

typedef int memctx_export_fn(const struct memctx_export_subject *subject,
                             struct memctx_text *text,
                             struct memctx_error *err);

/* The same for what is too long for a text, and goes to a sink. -1 also if that
 * takes no more. */
typedef int memctx_export_stream_fn(const struct memctx_export_subject *subject,
                                    const struct memctx_sink *sink,
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
memctx_export_stream_fn memctx_export_btf;
memctx_export_stream_fn memctx_export_elf;
memctx_export_stream_fn memctx_export_isf;

/* Lines behind a "#": which kernel this is, by what its symbols are known, and
 * what the tool still needs that is not in the text; and, if the domain's
 * kernel does not run, or nobody knows whether it does, that. */
void memctx_export_add_head(const struct memctx_export_subject *subject,
                            const char *needs, struct memctx_text *text);

/* Is RAM one file in which every offset is the guest-physical address? */
bool memctx_export_is_flat(const struct memctx_export_subject *subject);

/* Is all RAM in one file, in whatever pieces? */
bool memctx_export_is_one_file(const struct memctx_export_subject *subject);

/* A tool's own word for each paging; NULL: it takes no such. */
typedef const char *memctx_export_words[MEMCTX_PAGINGS];

extern const memctx_export_words memctx_export_crash_words;
extern const memctx_export_words memctx_export_drgn_words;
extern const memctx_export_words memctx_export_libvmi_words;
extern const memctx_export_words memctx_export_memflow_words;
extern const memctx_export_words memctx_export_memprocfs_words;
extern const memctx_export_words memctx_export_volatility3_words;

/* All pagings of aarch64, where a tool has one word for them. */
#define MEMCTX_EXPORT_AARCH64 \
    MEMCTX_PAGING_AARCH64_4K_39... MEMCTX_PAGING_AARCH64_64K_52

#endif
