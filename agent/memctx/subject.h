/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest whose kernel is known and whose RAM can be read, be it a file with
 * RAM or a domain: what export and core work on. */
#ifndef MEMCTX_SUBJECT_H
#define MEMCTX_SUBJECT_H

#include <limits.h>

#include "memctx/cmd.h"
#include "export/export.h"
#include "memctx.h"
#include "backing/ram.h"

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

/* The kernel in the file that --ram names. An exit code as of probe; not 0: it
 * has been said why. */
enum exit_code subject_from_file(const struct options *options,
                                 struct subject *ret);

/* The same for a running domain. Paths are known below memctx exec of it, or
 * when --ram gives the only one. */
enum exit_code subject_from_domain(const struct options *options,
                                   const char *domain, struct subject *ret);

/* Its datum and its name alone, for which nobody opens its RAM. */
enum exit_code subject_from_datum(const struct options *options,
                                  const char *domain, struct subject *ret);

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
