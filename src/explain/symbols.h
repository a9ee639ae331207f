/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All symbols of a Linux kernel, as its /proc/kallsyms lists them. */
#ifndef MEMCTX_SYMBOLS_H
#define MEMCTX_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "explain/target.h"
#include "text/text.h"

/* The steps of work that no kernel's symbols take more of. */
#define MEMCTX_SYMBOLS_STEPS (UINT64_C(1) << 20)

struct memctx_symbol {
    uint64_t address;
    char type;          /* as nm(1) has it; upper case: global */
    const char *name;   /* of these symbols; printable ASCII */
    const char *module; /* the same; "": it is the kernel's own */
};

struct memctx_symbols;

/* Read the kernel's own, in the order of its tables: where VMCOREINFO names
 * these, else where they are found in the kernel's image. 0, or -1 with RETRY
 * (they cannot be found or read, make no sense, or no work is left) or
 * EXHAUSTED. The caller destroys *ret. Takes some 8 MiB of memory; 48 MiB at
 * most. One thread at a time. */
int memctx_symbols_read(const struct memctx_target *target,
                        struct memctx_symbols **ret, struct memctx_error *err);

/* None yet. The caller destroys it. -1 with EXHAUSTED. */
int memctx_symbols_create(struct memctx_symbols **ret,
                          struct memctx_error *err);
void memctx_symbols_destroy(struct memctx_symbols *symbols); /* NULL is fine */
void memctx_symbols_cleanup(struct memctx_symbols **symbols);

/* Add one behind all others; of its texts, which are copied, bytes that are not
 * printable ASCII become '?'. -1 with RETRY: there are more than are sane;
 * EXHAUSTED. */
int memctx_symbols_add(struct memctx_symbols *symbols,
                       const struct memctx_symbol *symbol,
                       struct memctx_error *err);

/* How many there are, and the one of this index, which must be one of them. */
size_t memctx_symbols_count(const struct memctx_symbols *symbols);
struct memctx_symbol memctx_symbols_at(const struct memctx_symbols *symbols,
                                       size_t index);

/* The first one of this name; false: there is none. */
bool memctx_symbols_find(const struct memctx_symbols *symbols, const char *name,
                         struct memctx_symbol *ret);

/* The one at the greatest address that is not above this one; of several the
 * first. False: all are above it. */
bool memctx_symbols_below(const struct memctx_symbols *symbols,
                          uint64_t address, struct memctx_symbol *ret);

/* All of them as bytes, to be kept in a file, added to *ret. */
void memctx_symbols_encode(const struct memctx_symbols *symbols,
                           struct memctx_text *ret);

/* The reverse. Believes nothing: -1 with PERMANENT: these are no symbols;
 * EXHAUSTED. The caller destroys *ret. */
int memctx_symbols_decode(const unsigned char *bytes, size_t len_bytes,
                          struct memctx_symbols **ret,
                          struct memctx_error *err);

#endif
