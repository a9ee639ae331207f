/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which members of which structs make a module. */
#ifndef MEMCTX_MODULEFIELDS_H
#define MEMCTX_MODULEFIELDS_H

enum {
    MODULE_LIST,
    MODULE_NAME,
    MODULE_STATE,
    MODULE_REFCOUNT,
    MODULE_USERS,
    MODULE_USE_LINK,
    MODULE_USE_SOURCE,
    MODULE_CORE_BASE,
    MODULE_CORE_SIZE,
    MODULE_INIT_SIZE,
    MODULE_PARTS,
    MODULE_PART_BASE,
    MODULE_PART_SIZE,
    MODULE_KALLSYMS,
    MODULE_SYMTAB,
    MODULE_NUM_SYMTAB,
    MODULE_STRTAB,
    MODULE_TYPETAB,
    MODULE_FIELDS
};

#endif
