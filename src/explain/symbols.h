/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All symbols of a Linux kernel, as its /proc/kallsyms lists them: what makes
 * them; memctx.h has what uses them. */
#ifndef MEMCTX_SYMBOLS_H
#define MEMCTX_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "explain/target.h"
#include "memctx.h"

/* The steps of work that no kernel's symbols take more of. */
#define MEMCTX_SYMBOLS_STEPS (UINT64_C(1) << 20)

/* A name has less, with the NUL; KSYM_NAME_LEN of kernels is 512, too. */
#define MEMCTX_SYMBOLS_NAME_MAX 512u

/* Read the kernel's own, in the order of its tables: where VMCOREINFO names
 * these, else where they are found in the kernel's image. 0, or -1 with RETRY
 * (they cannot be found or read, make no sense, or no work is left) or
 * EXHAUSTED. The caller destroys *ret. Takes some 8 MiB of memory; 48 MiB at
 * most. One thread at a time. */
int memctx_symbols_read(const struct memctx_target *target,
                        struct memctx_symbols **ret, struct memctx_error *err);

/* The most names that are asked for together. */
#define MEMCTX_SYMBOLS_WANTED 32u

/* Find the addresses of the kernel's own symbols that have one of these n
 * names; 0 in *gva for one that it does not have, and the first of several.
 * Errors and work as above, but nothing is kept, and it takes half the time. */
int memctx_symbols_locate(const struct memctx_target *target,
                          const char *const *names, size_t n, uint64_t *gva,
                          struct memctx_error *err);

/* None yet. The caller frees it. -1 with EXHAUSTED. */
int memctx_symbols_create(struct memctx_symbols **ret,
                          struct memctx_error *err);
void memctx_symbols_cleanup(struct memctx_symbols **symbols);

/* Add one behind all others; of its texts, which are copied, bytes that are not
 * printable ASCII become '?'. -1 with RETRY: there are more than are sane;
 * EXHAUSTED. */
int memctx_symbols_add(struct memctx_symbols *symbols,
                       const struct memctx_symbol *symbol,
                       struct memctx_error *err);

/* Some are missing, and this is why: for memctx_symbols_broken(). */
void memctx_symbols_break(struct memctx_symbols *symbols,
                          const struct memctx_error *why);

#endif
