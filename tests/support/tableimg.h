/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Builds a kernel's symbol tables behind one another, as scripts/kallsyms.c of
 * Linux 5.10 writes them, for those that look for them. Symbols that are looked
 * up by name are symimg's. */
#ifndef MEMCTX_TESTS_TABLEIMG_H
#define MEMCTX_TESTS_TABLEIMG_H

#include <stddef.h>
#include <stdint.h>

#define TABLEIMG_SYMBOLS 5000u
#define TABLEIMG_NAME_MAX 32

struct tableimg {
    unsigned char bytes[256 * 1024];
    size_t used;
    /* In bytes from the beginning. */
    size_t offsets, base, num_syms, names, last_name, markers, token_table,
        token_index;
};

/* The tables of a kernel whose _stext is at this gva. Symbol i lies 16 * i
 * bytes behind it; number 3 is _stext itself. They are to be aligned to 8. */
void tableimg_init(struct tableimg *ret, uint64_t stext_gva);

/* Type letter and name of a symbol; returns the length. */
size_t tableimg_name(unsigned i, char text[TABLEIMG_NAME_MAX]);

#endif
