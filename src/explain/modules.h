/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The modules of a Linux guest, as lsmod(8) in the guest lists them, and their
 * symbols, as /proc/kallsyms does. */
#ifndef MEMCTX_MODULES_H
#define MEMCTX_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explain/btf.h"
#include "explain/fields.h"
#include "explain/target.h"

#define MEMCTX_MODULE_NAME_MAX 64 /* MODULE_NAME_LEN, with the NUL */
#define MEMCTX_MODULES_MAX 4096u
#define MEMCTX_MODULE_USERS_MAX 65536u /* of all modules together */

enum memctx_module_state {
    MEMCTX_MODULE_LIVE,
    MEMCTX_MODULE_LOADING,
    MEMCTX_MODULE_UNLOADING,
    MEMCTX_MODULE_STATES
};

/* As /proc/modules has it ("Live"). */
const char *memctx_module_state_name(enum memctx_module_state state);

struct memctx_module {
    uint64_t gva;  /* of its struct module */
    uint64_t base; /* where its code is; 0: not known */
    uint64_t size_bytes;
    enum memctx_module_state state;
    bool has_refcount; /* kernels that cannot unload modules do not count */
    int32_t refcount;
    size_t first_user; /* in memctx_modules.user */
    size_t n_users;
    char name[MEMCTX_MODULE_NAME_MAX]; /* the guest's: any bytes but NUL */
};

struct memctx_modules {
    struct memctx_module *module; /* owned; in the order of the guest */
    size_t n;
    uint64_t *user; /* owned; struct modules that use others */
    size_t n_users;
    struct memctx_field *field; /* owned; for memctx_module_symbols() */
};

#define MEMCTX_MODULES_INIT \
    {                       \
        .module = NULL      \
    }

void memctx_modules_deinit(struct memctx_modules *modules);

/* List the modules from the variable `modules` on, a list_head. 0; -1 with
 * RETRY when the list broke off, with *ret as far as it came; -1 with
 * PERMANENT: the BTF does not tell what a module is; EXHAUSTED. The caller
 * deinits *ret. A module that is not complete yet is left out, as in the guest.
 */
int memctx_modules_read(struct memctx_target *target,
                        const struct memctx_btf *btf, uint64_t modules_gva,
                        struct memctx_modules *ret, struct memctx_error *err);

/* The module of which gva is the struct module; NULL: none of these. */
const struct memctx_module *memctx_modules_find(
    const struct memctx_modules *modules, uint64_t gva);

/* One symbol of a module. */
struct memctx_module_symbol {
    uint64_t gva;
    char type;        /* a letter of nm(1); '?' before 5.2 */
    const char *name; /* the guest's: any bytes but NUL; until the call ends */
};

/* Takes a symbol. -1 and an error: no more are wanted. */
typedef int memctx_module_symbol_fn(void *arg,
                                    const struct memctx_module_symbol *symbol,
                                    struct memctx_error *err);

/* Call take() for every symbol of a module of `modules`, in the order of
 * /proc/kallsyms. 0, or -1 with RETRY: its table makes no sense or cannot be
 * read; PERMANENT: this kernel keeps none (no CONFIG_KALLSYMS); as take(). */
int memctx_module_symbols(struct memctx_target *target,
                          const struct memctx_modules *modules,
                          const struct memctx_module *module,
                          memctx_module_symbol_fn *take, void *arg,
                          struct memctx_error *err);

#endif
