/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The symbol table that a module keeps of itself (struct mod_kallsyms): an ELF
 * symbol table, its names, and since 5.2 a letter for each. */
#include <elf.h>
#include <inttypes.h>

#include "explain/modulefields.h"
#include "explain/modules.h"

#define SYMBOLS_MAX (1u << 17) /* of one module; large ones have some 10^4 */
#define NAME_MAX_BYTES 512u    /* KSYM_NAME_LEN */

struct table {
    struct memctx_target *target;
    uint64_t symbols_gva;
    uint64_t n;
    uint64_t names_gva;
    uint64_t types_gva; /* 0: there is none */
    bool is_wide;       /* Elf64_Sym */
};

static int
open_table(struct memctx_target *target, const struct memctx_field *field,
           uint64_t module_gva, struct table *ret, struct memctx_error *err)
{
    struct table t = {.target = target,
                      .is_wide = memctx_target_word_size(target) == 8};
    uint64_t gva;
    if (!field[MODULE_KALLSYMS].known)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "modules of this kernel keep no symbols");
    if (memctx_field_read(target, &field[MODULE_KALLSYMS], module_gva, &gva,
                          err) < 0 ||
        memctx_field_read(target, &field[MODULE_SYMTAB], gva, &t.symbols_gva,
                          err) < 0 ||
        memctx_field_read(target, &field[MODULE_NUM_SYMTAB], gva, &t.n, err) <
            0 ||
        memctx_field_read(target, &field[MODULE_STRTAB], gva, &t.names_gva,
                          err) < 0)
        return -1;
    if (field[MODULE_TYPETAB].known &&
        memctx_field_read(target, &field[MODULE_TYPETAB], gva, &t.types_gva,
                          err) < 0)
        return -1;
    if (t.n > SYMBOLS_MAX)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%" PRIu64 " symbols, at most %u are sane", t.n,
                                SYMBOLS_MAX);
    *ret = t;
    return 0;
}

/* Offsets of st_name, st_shndx and st_value in the two kinds of a symbol. */
static int
read_symbol(const struct table *t, uint64_t i, uint32_t *name, uint16_t *where,
            uint64_t *gva, struct memctx_error *err)
{
    unsigned char raw[sizeof(Elf64_Sym)];
    size_t size = t->is_wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    if (memctx_view_read(&t->target->view, t->symbols_gva + i * size, raw, size,
                         err) < 0)
        return -1;
    *name = memctx_le32(raw);
    *where = memctx_le16(raw + (t->is_wide ? offsetof(Elf64_Sym, st_shndx)
                                           : offsetof(Elf32_Sym, st_shndx)));
    *gva = t->is_wide ? memctx_le64(raw + offsetof(Elf64_Sym, st_value))
                      : memctx_le32(raw + offsetof(Elf32_Sym, st_value));
    return 0;
}

static int
give(const struct table *t, uint64_t i, memctx_module_symbol_fn *take,
     void *arg, struct memctx_error *err)
{
    char name[NAME_MAX_BYTES];
    struct memctx_module_symbol symbol = {.type = '?', .name = name};
    uint32_t name_off;
    uint16_t where;
    if (read_symbol(t, i, &name_off, &where, &symbol.gva, err) < 0)
        return -1;
    if (where == SHN_UNDEF)
        return 0;
    if (t->types_gva != 0 &&
        memctx_view_read(&t->target->view, t->types_gva + i, &symbol.type, 1,
                         err) < 0)
        return -1;
    if (memctx_chars_read(t->target, t->names_gva + name_off, name,
                          sizeof(name), err) < 0)
        return -1;
    return name[0] == '\0' ? 0 : take(arg, &symbol, err);
}

int
memctx_module_symbols(struct memctx_target *target,
                      const struct memctx_modules *modules,
                      const struct memctx_module *module,
                      memctx_module_symbol_fn *take, void *arg,
                      struct memctx_error *err)
{
    struct table t;
    if (open_table(target, modules->field, module->gva, &t, err) < 0)
        return memctx_error_prefix(err, "symbols of a module");
    for (uint64_t i = 0; i < t.n; i++) {
        if (give(&t, i, take, arg, err) < 0)
            return -1;
    }
    return 0;
}
