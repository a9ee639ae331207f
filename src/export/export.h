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

/* What a format takes beside datum and domain; the caller provides it in the
 * subject where it can. */
enum memctx_export_want {
    MEMCTX_EXPORT_RAM = 1,         /* extents; it is the RAM that is exported */
    MEMCTX_EXPORT_PATHS = 2,       /* of files with the RAM */
    MEMCTX_EXPORT_VMCOREINFO = 4,  /* its text */
    MEMCTX_EXPORT_TYPES = 8,       /* ->btf */
    MEMCTX_EXPORT_SYMBOLS = 16,    /* ->symbols */
    MEMCTX_EXPORT_BANNER = 32,     /* ->banner */
    MEMCTX_EXPORT_TASKFIELDS = 64, /* ->tasks */
    MEMCTX_EXPORT_BASE = 128,      /* ->base_gpa */
};

/* All of these that it takes. */
unsigned memctx_export_wants(const struct memctx_export_format *format);

/* Those of them without which it is refused. */
unsigned memctx_export_needs(const struct memctx_export_format *format);

/* Does the tool take such a kernel? 0, or -1 with PERMANENT: which ones do. */
int memctx_export_check_kernel(const struct memctx_export_format *format,
                               const struct memctx_kernel *kernel,
                               struct memctx_error *err);

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

/* A kernel for people: its system, version, and what a symbol server is asked
 * with. Printable ASCII. */
#define MEMCTX_EXPORT_KERNEL_MAX (MEMCTX_VERSION_MAX + MEMCTX_IDENTITY_MAX + 32)
void memctx_export_kernel_words(const struct memctx_kernel *kernel, char *ret,
                                size_t size);

/* Extents as in MEMCTX_EXTENTS, "gpa:size:backend:offset" of each. */
void memctx_export_add_extents(const struct memctx_extent *extents, size_t n,
                               struct memctx_text *text);

#endif
