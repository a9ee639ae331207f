/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest whose kernel is known and whose RAM can be read, be it a file with
 * RAM or a domain: what export and core work on. */
#ifndef MEMCTX_SUBJECT_H
#define MEMCTX_SUBJECT_H

#include "backing/ram.h"
#include "export/export.h"
#include "memctx.h"
#include "memctx/invocation.h"

struct subject {
    struct memctx_datum datum;
    struct memctx_export_subject facts; /* points into the rest */
    struct ram ram;                     /* of a file, */
    struct memctx_reader *reader;       /* or of a domain, owned */
    struct memctx_extent *extents;      /* owned */
    char **paths;                       /* owned; NULL: not known */
    char *vmcoreinfo;                   /* owned; NULL: there is none */
    char *name;                         /* owned; NULL: the caller knows it */
};

#define SUBJECT_INIT  \
    {                 \
        .paths = NULL \
    }

void subject_deinit(struct subject *subject);

/* The functions below fill *ret, which is the caller's to deinit. They return
 * an exit code; if it is not EXIT_DONE, the reason has been printed. */

/* The kernel in a file with RAM; see ramfile_probe(). */
enum exit_code subject_from_file(const char *path, uint64_t low,
                                 struct subject *ret);

/* A running domain, which is opened; waits at most timeout_ms (-1: not at all)
 * for it to be ready. Its file of RAM is ram_path (NULL: not known). Below
 * memctx exec of the same domain the inherited descriptors are its files. */
enum exit_code subject_from_domain(const struct common_options *common,
                                   const char *domain, int64_t timeout_ms,
                                   const char *ram_path, struct subject *ret);

/* The datum and the name of a domain alone, for which nobody opens its RAM.
 * Waits as above. */
enum exit_code subject_from_datum(const struct common_options *common,
                                  const char *domain, int64_t timeout_ms,
                                  struct subject *ret);

/* ---- reading ------------------------------------------------------------ */

/* As memctx_reader_read_gpa() and memctx_reader_next_data(), whatever the
 * subject is. */
int subject_read(const struct subject *subject, uint64_t gpa, void *buf,
                 size_t len, struct memctx_error *err);
int subject_next_data(const struct subject *subject, uint64_t gpa,
                      uint64_t limit, uint64_t *start, uint64_t *end,
                      struct memctx_error *err);

/* Is it still the same kernel in the same RAM? 0, or -1 with STALE, RETRY or
 * GONE. */
int subject_check(const struct subject *subject, struct memctx_error *err);

#endif
