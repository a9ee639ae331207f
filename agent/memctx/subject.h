/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A guest whose kernel is known and whose RAM can be read, be it a file with
 * RAM or a domain: what all commands work on that parse what a guest wrote. */
#ifndef MEMCTX_SUBJECT_H
#define MEMCTX_SUBJECT_H

#include "export/export.h"
#include "memctx.h"
#include "memctx/invocation.h"
#include "memctx/ramfile.h"
#include "sandbox/rules.h"

struct subject {
    const char *name; /* of the file or domain, for messages; not owned */
    struct memctx_datum datum;
    struct memctx_export_subject facts; /* points into the rest */
    struct ramfile file;                /* with the RAM, */
    struct memctx_reader *reader;       /* or of a domain, owned */
    struct memctx_extent *extents;      /* owned */
    char **paths;                       /* owned; NULL: not known */
    size_t n_paths;                     /* as many as backends, if known */
    char *vmcoreinfo;                   /* owned; NULL: there is none */
    char *domain;                       /* owned; NULL: the caller knows it */
};

#define SUBJECT_INIT  \
    {                 \
        .paths = NULL \
    }

void subject_deinit(struct subject *subject);

/* The functions below return an exit code; if it is not EXIT_DONE, the reason
 * has been printed. *ret is the caller's to deinit. */

/* First open what is to be read: a file with RAM (see ramfile_open()), or a
 * running domain, for which it waits at most timeout_ms (-1: not at all) to be
 * ready. The domain's file of RAM is ram_path (NULL: not known); below memctx
 * exec of the same domain the inherited descriptors are its files. No byte of
 * the guest is read. The strings must outlive *ret. */
enum exit_code subject_open_file(const struct common_options *common,
                                 const struct ramfile_named *named,
                                 struct subject *ret);
enum exit_code subject_open_domain(const struct common_options *common,
                                   const char *domain, int64_t timeout_ms,
                                   const char *ram_path, struct subject *ret);

/* Take descriptors that environment_put() has made ready for the files of a
 * domain's RAM, as below memctx exec. 0, or -1 with EXHAUSTED. */
int subject_inherit(struct subject *subject, struct memctx_error *err);

/* Then enter a sandbox, in which `result` (NULL: none) stays open. */
enum exit_code subject_confine(const struct subject *subject,
                               const struct sandbox_fd *result);

/* Then look at the guest: for the kernel, where it is not known yet, and what
 * it says in VMCOREINFO. */
enum exit_code subject_look(struct subject *subject);

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

/* The RAM as a map, for parsers of src/. Reading through it is not checked, so
 * whoever does so is between subject_begin() and subject_end(), which are as
 * lease_begin() and lease_end() (lease.h). The subject keeps the map. */
const struct memctx_rammap *subject_map(const struct subject *subject);
int subject_begin(const struct subject *subject, struct memctx_error *err);
int subject_end(const struct subject *subject, int result,
                const struct memctx_error *why, struct memctx_error *err);

/* Print why something was not to be had of it. Returns EXIT_ERROR. */
enum exit_code subject_fail(const struct subject *subject,
                            const struct memctx_error *err);

/* Print why a list of it is not whole (NULL: it is). Returns EXIT_ERROR, or
 * EXIT_DONE. */
enum exit_code subject_broken(const struct subject *subject, const char *why);

/* Is it still the same kernel in the same RAM? 0, or -1 with STALE, RETRY or
 * GONE. */
int subject_check(const struct subject *subject, struct memctx_error *err);

#endif
