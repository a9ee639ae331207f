/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols of a guest's modules, behind those of its kernel. */
#ifndef MEMCTX_MODULESYMBOLS_H
#define MEMCTX_MODULESYMBOLS_H

#include "memctx/explained.h"

/* Add those of all modules that are loaded now to the symbols of the kernel; it
 * takes the kernel's types, if there is a module. 0, or -1 with what was found
 * up to then: as memctx_modules_read() and memctx_module_symbols(), or
 * PERMANENT: the kernel has no types, or names no data. */
int modulesymbols_add(struct explained *explained,
                      struct memctx_symbols *symbols, struct memctx_error *err);

#endif
