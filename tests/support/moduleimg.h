/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The modules of a kernel, and its types for them. */
#ifndef MEMCTX_TESTS_MODULEIMG_H
#define MEMCTX_TESTS_MODULEIMG_H

#include "explimg.h"

/* Where the members of its struct module are. */
#define MODULEIMG_STATE 0
#define MODULEIMG_LIST 8
#define MODULEIMG_NAME 24
#define MODULEIMG_REFCOUNT 80
#define MODULEIMG_USERS 88
#define MODULEIMG_MEM 104 /* two of 16 bytes, or the layouts of before 6.4 */
#define MODULEIMG_KALLSYMS 136
#define MODULEIMG_SIZE 256

#define MODULEIMG_SYMBOLS 4u /* of each, with one without a name */

enum moduleimg_age {
    MODULEIMG_NEW, /* struct module_memory: 6.4 */
    MODULEIMG_OLD, /* core_layout and init_layout */
    MODULEIMG_BARE /* the same, nothing can be unloaded, no symbols */
};

void moduleimg_types(struct btfimg *img, enum moduleimg_age age);

/* The variable `modules`, an empty list. */
uint64_t moduleimg_head(const struct explimg *x);
void moduleimg_init(const struct explimg *x);

uint64_t moduleimg_gva(const struct explimg *x, unsigned index);

/* Write module `index` of 0x3000 bytes at 0xffffffffc0000000 and its symbols
 * "NAME_init", "NAME_exit", and put it at the end of the list. */
void moduleimg_add(const struct explimg *x, unsigned index, const char *name);

/* Module `user` uses module `used`, by use number n. */
void moduleimg_use(const struct explimg *x, unsigned n, unsigned user,
                   unsigned used);

#endif
