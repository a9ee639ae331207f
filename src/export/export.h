/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Says what is known of a guest in the words of a tool that looks into guests.
 * Pure: it builds a text. The same words for a shell are what memctx exec
 * gives a command as its environment.
 *
 * To add a tool: its function in a file of this room, its prototype in
 * format.h, a row in the table in export.c; a golden text in
 * tests/unit/export/test_export.c, its place in the section TOOLS of
 * man/memctx.pod and in completion/memctx. */
#ifndef MEMCTX_EXPORT_H
#define MEMCTX_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "export/subject.h"
#include "text/sink.h"
#include "text/text.h"

struct memctx_export_format;

/* The format of this name; NULL: there is none. */
const struct memctx_export_format *memctx_export_find(const char *name);

/* The names of all, separated by ", ", in the order of the manual. */
void memctx_export_names(char *ret, size_t size);

/* Does it take more than datum and domain: extents, paths, VMCOREINFO? */
bool memctx_export_wants_ram(const struct memctx_export_format *format);

/* Does it take the kernel's types; and its symbols and banner, too? */
bool memctx_export_wants_types(const struct memctx_export_format *format);
bool memctx_export_wants_symbols(const struct memctx_export_format *format);

/* Write all of it to the sink, a newline behind a text. 0, or -1 with
 * PERMANENT: the tool cannot take such a guest or layout, or something is not
 * known that it needs; the message says which tool can, or what to do.
 * EXHAUSTED: out of memory; or as the sink, which may have got a part then. Any
 * thread. */
int memctx_export_to(const struct memctx_export_format *format,
                     const struct memctx_export_subject *subject,
                     const struct memctx_sink *sink, struct memctx_error *err);

/* The same in memory; *ret is the caller's to free(), *len its bytes, a NUL
 * behind them. */
int memctx_export(const struct memctx_export_format *format,
                  const struct memctx_export_subject *subject, char **ret,
                  size_t *len, struct memctx_error *err);

/* Extents as in MEMCTX_EXTENTS, "gpa:size:backend:offset" of each. */
void memctx_export_add_extents(const struct memctx_extent *extents, size_t n,
                               struct memctx_text *text);

#endif
