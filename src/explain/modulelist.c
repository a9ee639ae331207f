/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The modules of a guest as rows, and their symbols behind those of the kernel.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/btfread.h"
#include "explain/explain.h"
#include "explain/modules.h"
#include "explain/symbols.h"

#define UNTOLD                                                               \
    "this kernel does not tell where its modules are: it was built without " \
    "CONFIG_KALLSYMS_ALL"

struct memctx_module_list {
    struct memctx_modules modules;   /* names are in here */
    struct memctx_module_info *rows; /* owned */
    const char **users;              /* owned; of all rows together */
    struct memctx_error broken;
};

void
memctx_module_list_free(struct memctx_module_list *list)
{
    if (list == NULL)
        return;
    memctx_modules_deinit(&list->modules);
    free(list->rows);
    free(list->users);
    free(list);
}

void
memctx_module_list_cleanup(struct memctx_module_list **list)
{
    memctx_module_list_free(*list);
}

const struct memctx_module_info *
memctx_module_list_at(const struct memctx_module_list *list, size_t index)
{
    return index < list->modules.n ? &list->rows[index] : NULL;
}

const char *
memctx_module_list_broken(const struct memctx_module_list *list)
{
    return list->broken.kind == MEMCTX_OK ? NULL : list->broken.message;
}

/* ---- reading ------------------------------------------------------------- */

static int
read_modules(struct memctx_target *target,
             const struct memctx_landmarks *landmarks,
             struct memctx_modules *ret, struct memctx_error *err)
{
    struct memctx_btf *btf;
    if (landmarks->gva[MEMCTX_AT_MODULES] == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, UNTOLD);
    if (memctx_btf_take(target, landmarks, &btf, err) < 0)
        return -1;
    int result = memctx_modules_read(
        target, btf, landmarks->gva[MEMCTX_AT_MODULES], ret, err);
    memctx_btf_destroy(btf);
    return result;
}

static struct memctx_module_info
row_of(const struct memctx_module *module)
{
    return (struct memctx_module_info){
        .name = module->name,
        .base = module->base != 0 ? module->base : MEMCTX_UNKNOWN,
        .size = module->size_bytes,
        .state = memctx_module_state_name(module->state),
        .refcount = module->has_refcount && module->refcount >= 0
                        ? (uint64_t)module->refcount
                        : MEMCTX_UNKNOWN,
        .n_users = module->n_users,
    };
}

/* A user that is in no list any more has no name. */
static const char *
name_of(const struct memctx_modules *modules, uint64_t gva)
{
    const struct memctx_module *module = memctx_modules_find(modules, gva);
    return module != NULL ? module->name : "?";
}

static int
make_rows(struct memctx_module_list *list, struct memctx_error *err)
{
    const struct memctx_modules *modules = &list->modules;
    list->rows = calloc(modules->n + 1, sizeof(list->rows[0]));
    list->users = calloc(modules->n_users + 1, sizeof(list->users[0]));
    if (list->rows == NULL || list->users == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (size_t i = 0; i < modules->n_users; i++)
        list->users[i] = name_of(modules, modules->user[i]);
    for (size_t i = 0; i < modules->n; i++) {
        list->rows[i] = row_of(&modules->module[i]);
        list->rows[i].users = list->users + modules->module[i].first_user;
    }
    return 0;
}

int
memctx_explain_modules(struct memctx_target *target,
                       struct memctx_module_list **ret,
                       struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_module_list_cleanup)
    struct memctx_module_list *list = calloc(1, sizeof(*list));
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct memctx_landmarks landmarks;
    if (list == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (memctx_landmarks_read(target, &landmarks, err) < 0)
        return -1;
    int result = read_modules(target, &landmarks, &list->modules, &why);
    if (result < 0 && list->modules.n == 0)
        return memctx_error_pass(err, &why);
    if (result < 0)
        list->broken = why;
    if (make_rows(list, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&list);
    return 0;
}

/* ---- symbols ------------------------------------------------------------- */

struct adding {
    struct memctx_symbols *symbols;
    const char *module;
};

static int
take(void *arg, const struct memctx_module_symbol *symbol,
     struct memctx_error *err)
{
    const struct adding *adding = arg;
    const struct memctx_symbol added = {symbol->gva, symbol->type, symbol->name,
                                        adding->module};
    return memctx_symbols_add(adding->symbols, &added, err);
}

/* An empty list leads to itself. */
int
memctx_explain_has_modules(struct memctx_target *target, uint64_t modules_gva,
                           struct memctx_error *err)
{
    uint64_t first_gva;
    if (modules_gva == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT, UNTOLD);
    if (memctx_view_pointer(&target->view, modules_gva, &first_gva, err) < 0)
        return -1;
    return first_gva != modules_gva;
}

int
memctx_explain_module_symbols(struct memctx_target *target,
                              const struct memctx_landmarks *landmarks,
                              struct memctx_symbols *symbols,
                              struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_modules_deinit)
    struct memctx_modules modules = MEMCTX_MODULES_INIT;
    int result = read_modules(target, landmarks, &modules, err);
    for (size_t i = 0; i < modules.n; i++) {
        struct adding adding = {symbols, modules.module[i].name};
        if (memctx_module_symbols(target, &modules, &modules.module[i], take,
                                  &adding, err) < 0)
            return -1;
    }
    return result;
}

static int
add_modules(struct memctx_target *target, struct memctx_symbols *symbols,
            struct memctx_error *err)
{
    struct memctx_landmarks landmarks;
    memctx_landmarks_take(symbols, &landmarks);
    int has = memctx_explain_has_modules(target,
                                         landmarks.gva[MEMCTX_AT_MODULES], err);
    return has > 0
               ? memctx_explain_module_symbols(target, &landmarks, symbols, err)
               : has;
}

int
memctx_explain_symbols(struct memctx_target *target,
                       struct memctx_symbols **ret, struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    struct memctx_symbols *symbols;
    if (memctx_symbols_read(target, &symbols, err) < 0)
        return -1;
    if (add_modules(target, symbols, &why) < 0)
        memctx_symbols_break(symbols, &why);
    *ret = symbols;
    return 0;
}
