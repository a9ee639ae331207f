/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols as the lines of /proc/kallsyms. They are kept in this form, because
 * most of what is asked of kept symbols needs no line but one to be parsed. */
#ifndef MEMCTX_SYMBOLTEXT_H
#define MEMCTX_SYMBOLTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explain/symbols.h"
#include "text/text.h"

/* Add one as a line, its address with so many digits: 8 or 16, by the kernel's
 * pointers. */
void memctx_symboltext_add(struct memctx_text *text,
                           const struct memctx_symbol *symbol, unsigned digits);

/* The same, for all of them. */
void memctx_symboltext_add_all(struct memctx_text *text,
                               const struct memctx_symbols *symbols,
                               unsigned digits);

/* Is this printable ASCII and newlines, of which one is the last byte? A
 * terminal may see it then. */
bool memctx_symboltext_is_plain(const char *text, size_t len_bytes);

/* Take the line at *at, before `end`, and go on behind it: a symbol of the
 * kernel's own, whose name is copied into `name`. False: there is no line, or
 * it is none of a symbol. */
bool memctx_symboltext_next(const char **at, const char *end,
                            char name[MEMCTX_SYMBOLS_NAME_MAX],
                            struct memctx_symbol *ret);

/* The address of the first symbol of this name; false: there is none. */
bool memctx_symboltext_find(const char *text, size_t len_bytes,
                            const char *name, uint64_t *ret);

#endif
