/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols of a domain's kernel, kept in a file for the next time.
 *
 * A guest names its kernel itself, so each domain has a file of its own: what
 * it holds can lie about this guest only. The file is opened and read before a
 * command enters its sandbox, and its bytes are parsed in there. */
#ifndef MEMCTX_SYMBOLCACHE_H
#define MEMCTX_SYMBOLCACHE_H

#include <stdbool.h>

#include "memctx/subject.h"

#define SYMBOLCACHE_HEAD 256u

/* Initialise with SYMBOLCACHE_INIT. */
struct symbolcache {
    char *path; /* owned; NULL: nothing is kept of this guest */
    char *made; /* owned; the file that is being written; NULL: none */
    int fd;     /* of that */
    char head[SYMBOLCACHE_HEAD]; /* which kernel it is */
    char
        *text; /* owned; of this kernel, lines as in symboltext.h; NULL: none */
    size_t len_bytes;
};

#define SYMBOLCACHE_INIT \
    {                    \
        .fd = -1         \
    }

/* Takes away what was written and not kept. */
void symbolcache_deinit(struct symbolcache *cache);

/* Look for what is kept of the kernel of a domain, before a sandbox is entered.
 * There is nothing for files with RAM, for kernels without a build ID, and for
 * who has no home; it cannot fail otherwise. *ret is the caller's to deinit. */
void symbolcache_open(const struct subject *subject, struct symbolcache *ret);

/* Begin a new file. False: it cannot be written. */
bool symbolcache_begin(struct symbolcache *cache);

/* In the sandbox, in which ->fd is SANDBOX_STORE: write the symbols, as lines
 * (symboltext.h). */
int symbolcache_store(const struct symbolcache *cache, const char *text,
                      size_t len_bytes, struct memctx_error *err);

/* Behind it: the new file takes the place of an old one. */
void symbolcache_keep(struct symbolcache *cache);

#endif
