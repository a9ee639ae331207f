/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Modules, then uses, then their symbols, one page a module. */
#include "moduleimg.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#define HEAD 0
#define MODULES 256
#define USES UINT64_C(0x10000)
#define USE_SIZE 64
#define SYMBOLS UINT64_C(0x20000) /* from the beginning of the room */
#define NAMES 512                 /* in a module's page */
#define TYPES 1024
#define KALLSYMS 2048

static uint32_t
add_pair(struct btfimg *img, const char *name, uint32_t first, uint32_t second)
{
    const struct btfimg_member members[] = {{"base", first, 0},
                                            {"size", second, 8}};
    return btfimg_struct(img, MEMCTX_BTF_STRUCT, name, 16, members, 2);
}

static void
add_use(struct btfimg *img, uint32_t list, uint32_t pointer)
{
    const struct btfimg_member members[] = {{"source_list", list, 0},
                                            {"target_list", list, 16},
                                            {"source", pointer, 32},
                                            {"target", pointer, 40}};
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "module_use", 48, members, 4);
}

static void
add_kallsyms(struct btfimg *img, uint32_t pointer, uint32_t number)
{
    const struct btfimg_member members[] = {{"symtab", pointer, 0},
                                            {"num_symtab", number, 8},
                                            {"strtab", pointer, 16},
                                            {"typetab", pointer, 24}};
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "mod_kallsyms", 32, members, 4);
}

void
moduleimg_types(struct btfimg *img, enum moduleimg_age age)
{
    uint32_t number = btfimg_int(img, "unsigned int", 4);
    uint32_t letter = btfimg_int(img, "char", 1);
    uint32_t name = btfimg_array(img, letter, 56);
    uint32_t pointer = btfimg_pointer(img, 0);
    const struct btfimg_member counter[] = {{"counter", number, 0}};
    uint32_t atomic = btfimg_struct(img, MEMCTX_BTF_STRUCT, "", 4, counter, 1);
    const struct btfimg_member links[] = {{"next", pointer, 0},
                                          {"prev", pointer, 8}};
    uint32_t list =
        btfimg_struct(img, MEMCTX_BTF_STRUCT, "list_head", 16, links, 2);
    bool is_new = age == MODULEIMG_NEW;
    uint32_t memory = add_pair(img, is_new ? "module_memory" : "module_layout",
                               pointer, number);
    uint32_t parts = btfimg_array(img, memory, 2);
    struct btfimg_member members[] = {
        {"state", number, MODULEIMG_STATE},
        {"list", list, MODULEIMG_LIST},
        {"name", name, MODULEIMG_NAME},
        {is_new ? "mem" : "core_layout", is_new ? parts : memory,
         MODULEIMG_MEM},
        {is_new ? "spare" : "init_layout", memory, MODULEIMG_MEM + 16},
        {"refcnt", atomic, MODULEIMG_REFCOUNT},
        {"source_list", list, MODULEIMG_USERS},
        {"kallsyms", pointer, MODULEIMG_KALLSYMS}};
    btfimg_struct(img, MEMCTX_BTF_STRUCT, "module", MODULEIMG_SIZE, members,
                  age == MODULEIMG_BARE ? 5 : 8);
    if (age != MODULEIMG_BARE) {
        add_use(img, list, pointer);
        add_kallsyms(img, pointer, number);
    }
}

uint64_t
moduleimg_head(const struct explimg *x)
{
    return x->room_gva + HEAD;
}

uint64_t
moduleimg_gva(const struct explimg *x, unsigned index)
{
    return x->room_gva + MODULES + (uint64_t)index * MODULEIMG_SIZE;
}

void
moduleimg_init(const struct explimg *x)
{
    explimg_list_init(x, moduleimg_head(x));
}

static void
write_symbol(const struct explimg *x, uint64_t page, unsigned index,
             uint32_t name, uint16_t where)
{
    uint64_t gva = page + index * sizeof(Elf64_Sym);
    Elf64_Sym symbol = {.st_name = name,
                        .st_shndx = where,
                        .st_value = UINT64_C(0xffffffffc0000000) + index * 16};
    explimg_write(x, gva, &symbol, sizeof(symbol));
}

/* The first has no name, the last is one of another module. */
static void
write_symbols(const struct explimg *x, unsigned index, const char *name)
{
    uint64_t page = x->room_gva + SYMBOLS + index * UINT64_C(4096);
    char names[256] = "";
    int len = snprintf(names + 1, sizeof(names) - 1, "%s_init%c%s_exit", name,
                       0, name);
    explimg_write(x, page + NAMES, names, (size_t)len + 2);
    write_symbol(x, page, 0, 0, 0);
    write_symbol(x, page, 1, 1, 1);
    write_symbol(x, page, 2, (uint32_t)strlen(name) + 7, 1);
    write_symbol(x, page, 3, 1, 0);
    explimg_write(x, page + TYPES, "?tTU", MODULEIMG_SYMBOLS);
    explimg_le64(x, page + KALLSYMS, page);
    explimg_le32(x, page + KALLSYMS + 8, MODULEIMG_SYMBOLS);
    explimg_le64(x, page + KALLSYMS + 16, page + NAMES);
    explimg_le64(x, page + KALLSYMS + 24, page + TYPES);
    explimg_le64(x, moduleimg_gva(x, index) + MODULEIMG_KALLSYMS,
                 page + KALLSYMS);
}

void
moduleimg_add(const struct explimg *x, unsigned index, const char *name)
{
    uint64_t gva = moduleimg_gva(x, index);
    char text[56] = "";
    memcpy(text, name, strnlen(name, sizeof(text)));
    explimg_write(x, gva + MODULEIMG_NAME, text, sizeof(text));
    explimg_le32(x, gva + MODULEIMG_REFCOUNT, 1);
    explimg_le64(x, gva + MODULEIMG_MEM, UINT64_C(0xffffffffc0000000));
    explimg_le32(x, gva + MODULEIMG_MEM + 8, 0x2000);
    explimg_le32(x, gva + MODULEIMG_MEM + 24, 0x1000);
    explimg_list_init(x, gva + MODULEIMG_USERS);
    explimg_list_add(x, moduleimg_head(x), gva + MODULEIMG_LIST);
    write_symbols(x, index, name);
}

void
moduleimg_use(const struct explimg *x, unsigned n, unsigned user, unsigned used)
{
    uint64_t use = x->room_gva + USES + (uint64_t)n * USE_SIZE;
    uint64_t gva = moduleimg_gva(x, used);
    explimg_le64(x, use + 32, moduleimg_gva(x, user));
    explimg_le64(x, use + 40, gva);
    explimg_list_add(x, gva + MODULEIMG_USERS, use);
}
