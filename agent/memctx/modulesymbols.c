/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Goes through the list of modules, which the kernel's types say how to read.
 */
#include "memctx/modulesymbols.h"

#include "base/cleanup.h"
#include "explain/btfread.h"
#include "explain/modules.h"

/* Types, and 4096 modules. */
#define STEPS (UINT64_C(1) << 22)

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

static uint64_t
address_of(const struct memctx_symbols *symbols, const char *name)
{
    struct memctx_symbol symbol;
    return memctx_symbols_find(symbols, name, &symbol) ? symbol.address : 0;
}

static void
cleanup_btf(struct memctx_btf **btf)
{
    memctx_btf_destroy(*btf);
}

static int
add_all(struct memctx_target *target, struct memctx_symbols *symbols,
        uint64_t list_gva, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_modules_deinit)
    struct memctx_modules modules = MEMCTX_MODULES_INIT;
    MEMCTX_CLEANUP(cleanup_btf) struct memctx_btf *btf = NULL;
    const struct memctx_landmarks landmarks = {
        .gva = {[MEMCTX_AT_START_BTF] = address_of(symbols, "__start_BTF"),
                [MEMCTX_AT_STOP_BTF] = address_of(symbols, "__stop_BTF")}};
    if (memctx_btf_take(target, &landmarks, &btf, err) < 0)
        return -1;
    int result = memctx_modules_read(target, btf, list_gva, &modules, err);
    for (size_t i = 0; i < modules.n; i++) {
        struct adding adding = {symbols, modules.module[i].name};
        if (memctx_module_symbols(target, &modules, &modules.module[i], take,
                                  &adding, err) < 0)
            return -1;
    }
    return result;
}

/* An empty list leads to itself. */
static int
add(struct explained *explained, struct memctx_symbols *symbols,
    struct memctx_error *err)
{
    struct memctx_target *target = &explained->target;
    uint64_t list_gva = address_of(symbols, "modules");
    uint64_t first_gva;
    if (list_gva == 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "its kernel does not tell where they are: it "
                                "was built without CONFIG_KALLSYMS_ALL");
    if (memctx_view_pointer(&target->view, list_gva, &first_gva, err) < 0)
        return -1;
    return first_gva == list_gva ? 0 : add_all(target, symbols, list_gva, err);
}

int
modulesymbols_add(struct explained *explained, struct memctx_symbols *symbols,
                  struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, STEPS, err) < 0)
        return -1;
    int result = add(explained, symbols, &why);
    return explained_end(explained, result, &why, err);
}
