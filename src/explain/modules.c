/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows `modules`, and the list of users in each. */
#include "explain/modules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/list.h"
#include "explain/modulefields.h"

#define PARTS_MAX 16u /* struct module_memory of one module */
#define TRIES 3u

void
memctx_modules_deinit(struct memctx_modules *modules)
{
    free(modules->module);
    free(modules->user);
    free(modules->field);
    *modules = (struct memctx_modules)MEMCTX_MODULES_INIT;
}

const char *
memctx_module_state_name(enum memctx_module_state state)
{
    static const char *const names[] = {[MEMCTX_MODULE_LIVE] = "Live",
                                        [MEMCTX_MODULE_LOADING] = "Loading",
                                        [MEMCTX_MODULE_UNLOADING] =
                                            "Unloading"};
    return names[state];
}

static const struct memctx_wish wishes[MODULE_FIELDS] = {
    [MODULE_LIST] = {"module", "list", NULL, false},
    [MODULE_NAME] = {"module", "name", NULL, false},
    [MODULE_STATE] = {"module", "state", NULL, false},
    /* CONFIG_MODULE_UNLOAD */
    [MODULE_REFCOUNT] = {"module", "refcnt.counter", NULL, true},
    [MODULE_USERS] = {"module", "source_list", NULL, true},
    [MODULE_USE_LINK] = {"module_use", "source_list", NULL, true},
    [MODULE_USE_SOURCE] = {"module_use", "source", NULL, true},
    /* until 6.3 */
    [MODULE_CORE_BASE] = {"module", "core_layout.base", NULL, true},
    [MODULE_CORE_SIZE] = {"module", "core_layout.size", NULL, true},
    [MODULE_INIT_SIZE] = {"module", "init_layout.size", NULL, true},
    /* since 6.4 */
    [MODULE_PARTS] = {"module", "mem", NULL, true},
    [MODULE_PART_BASE] = {"module_memory", "base", NULL, true},
    [MODULE_PART_SIZE] = {"module_memory", "size", NULL, true},
    /* CONFIG_KALLSYMS */
    [MODULE_KALLSYMS] = {"module", "kallsyms", NULL, true},
    [MODULE_SYMTAB] = {"mod_kallsyms", "symtab", NULL, true},
    [MODULE_NUM_SYMTAB] = {"mod_kallsyms", "num_symtab", NULL, true},
    [MODULE_STRTAB] = {"mod_kallsyms", "strtab", NULL, true},
    [MODULE_TYPETAB] = {"mod_kallsyms", "typetab", NULL, true}, /* 5.2 */
};

struct walk {
    struct memctx_target *target;
    const struct memctx_btf *btf;
    struct memctx_modules *to;
    uint64_t part_bytes; /* sizeof(struct module_memory); 0: there is none */
};

static int
get(const struct walk *w, unsigned which, uint64_t gva, uint64_t *ret,
    struct memctx_error *err)
{
    return memctx_field_read(w->target, &w->to->field[which], gva, ret, err);
}

/* ---- one module --------------------------------------------------------- */

/* Its memory in parts: the first is the code. */
static int
read_parts(const struct walk *w, uint64_t gva, struct memctx_module *module,
           struct memctx_error *err)
{
    const struct memctx_field *parts = &w->to->field[MODULE_PARTS];
    uint64_t n = w->part_bytes == 0 ? 0 : parts->size_bytes / w->part_bytes;
    for (uint64_t i = 0; i < memctx_min(n, PARTS_MAX); i++) {
        uint64_t part = memctx_field_at(parts, gva) + i * w->part_bytes;
        uint64_t size;
        if (get(w, MODULE_PART_SIZE, part, &size, err) < 0 ||
            (i == 0 && get(w, MODULE_PART_BASE, part, &module->base, err) < 0))
            return -1;
        module->size_bytes += size;
    }
    return 0;
}

static int
read_layout(const struct walk *w, uint64_t gva, struct memctx_module *module,
            struct memctx_error *err)
{
    uint64_t core;
    uint64_t init;
    if (w->to->field[MODULE_PARTS].known)
        return read_parts(w, gva, module, err);
    if (get(w, MODULE_CORE_BASE, gva, &module->base, err) < 0 ||
        get(w, MODULE_CORE_SIZE, gva, &core, err) < 0 ||
        get(w, MODULE_INIT_SIZE, gva, &init, err) < 0)
        return -1;
    module->size_bytes = core + init;
    return 0;
}

static int
add_user(struct memctx_modules *to, uint64_t gva, struct memctx_error *err)
{
    if (to->n_users == MEMCTX_MODULE_USERS_MAX)
        return memctx_error_set(err, MEMCTX_RETRY, "more than %u users",
                                MEMCTX_MODULE_USERS_MAX);
    if ((to->n_users & (to->n_users - 1)) == 0) { /* 0 and powers of two */
        size_t size = to->n_users == 0 ? 1 : 2 * to->n_users;
        uint64_t *user = realloc(to->user, size * sizeof(*user));
        if (user == NULL)
            return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
        to->user = user;
    }
    to->user[to->n_users++] = gva;
    return 0;
}

/* Bounded by MEMCTX_MODULE_USERS_MAX. */
static int
read_users(const struct walk *w, uint64_t gva, struct memctx_module *module,
           struct memctx_error *err)
{
    const struct memctx_field *field = w->to->field;
    uint64_t head = memctx_field_at(&field[MODULE_USERS], gva);
    uint64_t at = head;
    module->first_user = w->to->n_users;
    if (!field[MODULE_USERS].known || !field[MODULE_USE_LINK].known)
        return 0;
    for (;;) {
        uint64_t source;
        if (memctx_list_next(w->target, at, &at, err) < 0)
            return -1;
        if (at == head)
            break;
        uint64_t use = memctx_field_owner(&field[MODULE_USE_LINK], at);
        if (get(w, MODULE_USE_SOURCE, use, &source, err) < 0 ||
            add_user(w->to, source, err) < 0)
            return -1;
    }
    module->n_users = w->to->n_users - module->first_user;
    return 0;
}

/* A module counts itself as one that uses it (MODULE_REF_BASE). */
static int
read_refcount(const struct walk *w, uint64_t gva, struct memctx_module *module,
              struct memctx_error *err)
{
    uint64_t count;
    if (!w->to->field[MODULE_REFCOUNT].known)
        return 0;
    if (get(w, MODULE_REFCOUNT, gva, &count, err) < 0)
        return -1;
    module->has_refcount = true;
    module->refcount = (int32_t)((uint32_t)count - 1);
    return 0;
}

/* The states of the kernel are LIVE, COMING, GOING, UNFORMED. */
static int
read_module(const struct walk *w, uint64_t gva, struct memctx_module *ret,
            bool *is_formed, struct memctx_error *err)
{
    struct memctx_module module = {.gva = gva};
    const struct memctx_field *name = &w->to->field[MODULE_NAME];
    uint64_t state;
    if (get(w, MODULE_STATE, gva, &state, err) < 0)
        return -1;
    *is_formed = state < MEMCTX_MODULE_STATES;
    if (!*is_formed)
        return 0;
    module.state = (enum memctx_module_state)state;
    if (memctx_chars_read(
            w->target, memctx_field_at(name, gva), module.name,
            (size_t)memctx_min(name->size_bytes, sizeof(module.name)),
            err) < 0 ||
        read_layout(w, gva, &module, err) < 0 ||
        read_refcount(w, gva, &module, err) < 0 ||
        read_users(w, gva, &module, err) < 0)
        return -1;
    *ret = module;
    return 0;
}

/* ---- the list ----------------------------------------------------------- */

/* Bounded by MEMCTX_MODULES_MAX. */
static int
follow(const struct walk *w, uint64_t head, struct memctx_error *err)
{
    struct memctx_modules *to = w->to;
    uint64_t at = head;
    for (unsigned i = 0; i < MEMCTX_MODULES_MAX; i++) {
        bool is_formed;
        if (memctx_list_next(w->target, at, &at, err) < 0)
            return -1;
        if (at == head)
            return 0;
        if (read_module(w, memctx_field_owner(&to->field[MODULE_LIST], at),
                        &to->module[to->n], &is_formed, err) < 0)
            return -1;
        to->n += is_formed ? 1 : 0;
    }
    return memctx_error_set(err, MEMCTX_RETRY, "it has more than %u modules",
                            MEMCTX_MODULES_MAX);
}

static int
prepare(struct walk *w, struct memctx_error *err)
{
    struct memctx_modules *to = w->to;
    struct memctx_btf_type part;
    to->module = calloc(MEMCTX_MODULES_MAX, sizeof(to->module[0]));
    to->field = calloc(MODULE_FIELDS, sizeof(to->field[0]));
    if (to->module == NULL || to->field == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (memctx_fields_find(w->target, w->btf, wishes, MODULE_FIELDS, to->field,
                           err) < 0)
        return -1;
    if (memctx_btf_find(w->btf, MEMCTX_BTF_STRUCT, "module_memory", &part,
                        NULL) == 0)
        w->part_bytes = part.size_bytes;
    return 0;
}

/* Modules come and go seldom: if one did, begin anew. */
int
memctx_modules_read(struct memctx_target *target, const struct memctx_btf *btf,
                    uint64_t modules_gva, struct memctx_modules *ret,
                    struct memctx_error *err)
{
    struct walk w = {.target = target, .btf = btf, .to = ret};
    struct memctx_error why; /* of the last try */
    *ret = (struct memctx_modules)MEMCTX_MODULES_INIT;
    if (prepare(&w, err) < 0)
        return -1;
    for (unsigned i = 0; i < TRIES; i++) {
        ret->n = 0;
        ret->n_users = 0;
        if (follow(&w, modules_gva, &why) == 0)
            return 0;
        memctx_target_refresh(target);
    }
    memctx_error_pass(err, &why);
    return memctx_error_prefix(err, "the list of modules broke off");
}

const struct memctx_module *
memctx_modules_find(const struct memctx_modules *modules, uint64_t gva)
{
    for (size_t i = 0; i < modules->n; i++) {
        if (modules->module[i].gva == gva)
            return &modules->module[i];
    }
    return NULL;
}
