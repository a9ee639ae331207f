/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols of a guest's kernel as lines. */
#ifndef MEMCTX_SYMBOLLINE_H
#define MEMCTX_SYMBOLLINE_H

#include <stdbool.h>

#include "explain/symbols.h"
#include "guest/kernel.h"
#include "text/text.h"

struct symbolline_format {
    const char *name; /* for --format */

    /* Add a symbol as a line. */
    void (*add)(struct memctx_text *text, const struct memctx_kernel *kernel,
                const struct memctx_symbol *symbol);

    bool is_text; /* the lines are those of symboltext.h */
};

/* All formats but JSON; `name` NULL ends them. The first is that of whoever
 * names none. */
extern const struct symbolline_format symbolline_formats[];

/* The format of this name; NULL: there is none. */
const struct symbolline_format *symbolline_find(const char *name);

/* As many digits as this kernel writes of a pointer: 8 or 16. */
unsigned symbolline_digits(const struct memctx_kernel *kernel);

/* A symbol as an object of JSON, without newline. */
void symbolline_add_json(struct memctx_text *text,
                         const struct memctx_symbol *symbol);

#endif
