/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A symbol table of Volatility 3 (Intermediate Symbol Format, schema 6.2.0) of
 * the very kernel that runs: its types from BTF, its symbols from kallsyms, at
 * the addresses that it was linked for.
 *
 * BTF has no types of variables but those per CPU. Volatility asks for those of
 * a few; which they are stands in a table here. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "export/format.h"
#include "export/stream.h"
#include "paging/format.h"

#define DEPTH 16u /* of pointers and arrays in one another */

struct table {
    struct memctx_stream *out;
    const struct memctx_btf *btf;
    const struct memctx_symbols *symbols;
    const struct memctx_banner *banner;
    const struct memctx_kernel *kernel;
    unsigned pointer_bytes;
    bool is_first; /* of the members that are being written */
};

static void
add(const struct table *t, const char *text)
{
    memctx_stream_add(t->out, text);
}

/* A comma, where there is something before it; then "name": */
static void
add_key(struct table *t, const char *name)
{
    add(t, t->is_first ? "\n" : ",\n");
    t->is_first = false;
    memctx_stream_string(t->out, name);
    add(t, ":");
}

static void
begin(struct table *t, const char *section)
{
    add(t, ",\n\"");
    add(t, section);
    add(t, "\":{");
    t->is_first = true;
}

static void
add_number(const struct table *t, const char *key, uint64_t number)
{
    add(t, key);
    memctx_stream_number(t->out, number);
}

/* The name of a type; those without one are told apart by their id. */
static void
add_type_name(const struct table *t, const struct memctx_btf_type *type)
{
    static const char digits[] = "0123456789abcdef";
    char name[] = "unnamed_00000000";
    size_t at = sizeof(name) - 1;
    if (type->name[0] != '\0') {
        memctx_stream_string(t->out, type->name);
        return;
    }
    for (uint32_t id = type->id; id > 0; id >>= 4)
        name[--at] = digits[id & 15];
    memctx_stream_string(t->out, name);
}

/* ---- references to types ------------------------------------------------- */

static bool
is_enum(const struct memctx_btf_type *type)
{
    return type->kind == MEMCTX_BTF_ENUM || type->kind == MEMCTX_BTF_ENUM64;
}

static void
add_named(const struct table *t, const char *kind,
          const struct memctx_btf_type *type)
{
    add(t, "{\"kind\":\"");
    add(t, kind);
    add(t, "\",\"name\":");
    add_type_name(t, type);
    add(t, "}");
}

/* What is neither a pointer nor an array. */
static void
add_leaf(const struct table *t, const struct memctx_btf_type *type)
{
    bool is_union = type->kind == MEMCTX_BTF_UNION ||
                    (type->kind == MEMCTX_BTF_FWD && type->flag);
    if (type->kind == MEMCTX_BTF_INT || type->kind == MEMCTX_BTF_FLOAT)
        add_named(t, "base", type);
    else if (is_enum(type))
        add_named(t, "enum", type);
    else if (type->kind == MEMCTX_BTF_STRUCT ||
             type->kind == MEMCTX_BTF_UNION || type->kind == MEMCTX_BTF_FWD)
        add_named(t, is_union ? "union" : "struct", type);
    else if (type->kind == MEMCTX_BTF_FUNC_PROTO)
        add(t, "{\"kind\":\"function\"}");
    else
        add(t, "{\"kind\":\"base\",\"name\":\"void\"}");
}

/* Pointers and arrays open an object each, and the leaf closes them all. What
 * is deeper, or no type, is void. */
static void
add_reference(const struct table *t, uint32_t id)
{
    struct memctx_btf_type type = {.kind = MEMCTX_BTF_VOID};
    unsigned open = 0;
    while (memctx_btf_strip(t->btf, id, &type, NULL) == 0 && open < DEPTH) {
        if (type.kind == MEMCTX_BTF_ARRAY)
            add_number(t, "{\"kind\":\"array\",\"count\":", type.count);
        else if (type.kind == MEMCTX_BTF_PTR)
            add(t, "{\"kind\":\"pointer\"");
        else
            break;
        add(t, ",\"subtype\":");
        open++;
        id = type.target;
        type = (struct memctx_btf_type){.kind = MEMCTX_BTF_VOID};
    }
    add_leaf(t, &type);
    for (; open > 0; open--)
        add(t, "}");
}

/* ---- types --------------------------------------------------------------- */

static void
add_base(struct table *t, const char *name, uint64_t size, bool is_signed,
         const char *kind)
{
    add_key(t, name);
    add_number(t, "{\"size\":", size);
    add(t, is_signed ? ",\"signed\":true" : ",\"signed\":false");
    add(t, ",\"kind\":\"");
    add(t, kind);
    add(t, "\",\"endian\":\"little\"}");
}

static const char *
kind_of(const struct memctx_btf_type *type)
{
    bool is_char = (type->encoding & MEMCTX_BTF_CHAR) != 0 ||
                   strcmp(type->name, "char") == 0 ||
                   strcmp(type->name, "unsigned char") == 0 ||
                   strcmp(type->name, "signed char") == 0;
    if (type->kind == MEMCTX_BTF_FLOAT)
        return "float";
    if ((type->encoding & MEMCTX_BTF_BOOL) != 0)
        return "bool";
    return is_char ? "char" : "int";
}

/* What enums are made of, and the kernel may have no variable of. */
static const struct {
    const char *name;
    uint32_t size;
    bool is_signed;
} enum_bases[] = {
    {"unsigned char", 1, false},
    {"short unsigned int", 2, false},
    {"unsigned int", 4, false},
    {"long unsigned int", 8, false},
    {"signed char", 1, true},
    {"short int", 2, true},
    {"int", 4, true},
    {"long int", 8, true},
};

static void
add_bases(struct table *t)
{
    bool has[MEMCTX_ARRAY_LEN(enum_bases)] = {false};
    begin(t, "base_types");
    add_base(t, "void", 0, false, "void");
    add_base(t, "pointer", t->pointer_bytes, false, "int");
    for (uint32_t id = 1; id < memctx_btf_types(t->btf); id++) {
        struct memctx_btf_type type;
        if (memctx_btf_type(t->btf, id, &type, NULL) < 0 ||
            (type.kind != MEMCTX_BTF_INT && type.kind != MEMCTX_BTF_FLOAT))
            continue;
        for (size_t i = 0; i < MEMCTX_ARRAY_LEN(has); i++)
            has[i] |= strcmp(type.name, enum_bases[i].name) == 0;
        add_base(t, type.name, type.size_bytes,
                 type.kind == MEMCTX_BTF_FLOAT ||
                     (type.encoding & MEMCTX_BTF_SIGNED) != 0,
                 kind_of(&type));
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(has); i++) {
        if (!has[i])
            add_base(t, enum_bases[i].name, enum_bases[i].size,
                     enum_bases[i].is_signed,
                     enum_bases[i].size == 1 ? "char" : "int");
    }
    add(t, "}");
}

/* A bit-field is counted in its own type, which begins where C would read it.
 */
static void
add_bits(const struct table *t, const struct memctx_btf_member *member)
{
    uint64_t size = 0;
    if (memctx_btf_size(t->btf, member->type, t->pointer_bytes, &size, NULL) <
            0 ||
        size == 0 || size > 8)
        size = 4;
    uint64_t start = member->offset_bits / (8 * size) * (8 * size);
    add_number(t, "{\"type\":{\"kind\":\"bitfield\",\"bit_position\":",
               member->offset_bits - start);
    add_number(t, ",\"bit_length\":", member->bits);
    add(t, ",\"type\":");
    add_reference(t, member->type);
    add_number(t, "},\"offset\":", start / 8);
}

static void
add_member(const struct table *t, const struct memctx_btf_member *member,
           uint32_t index)
{
    bool is_anonymous = member->name[0] == '\0';
    if (is_anonymous) {
        add_number(t, "\"unnamed_field_", index);
        add(t, "\":");
    } else {
        memctx_stream_string(t->out, member->name);
        add(t, ":");
    }
    if (member->bits != 0) {
        add_bits(t, member);
    } else {
        add(t, "{\"type\":");
        add_reference(t, member->type);
        add_number(t, ",\"offset\":", member->offset_bits / 8);
    }
    add(t, is_anonymous ? ",\"anonymous\":true}" : "}");
}

static void
add_struct(struct table *t, const struct memctx_btf_type *type)
{
    add(t, t->is_first ? "\n" : ",\n");
    t->is_first = false;
    add_type_name(t, type);
    add_number(t, ":{\"size\":", type->size_bytes);
    add(t, ",\"fields\":{");
    for (uint32_t i = 0; i < type->n; i++) {
        struct memctx_btf_member member;
        if (memctx_btf_member(t->btf, type, i, &member, NULL) < 0)
            break;
        add(t, i > 0 ? "," : "");
        add_member(t, &member, i);
    }
    add(t, type->kind == MEMCTX_BTF_UNION || type->kind == MEMCTX_BTF_FWD
               ? (type->kind == MEMCTX_BTF_FWD && !type->flag
                      ? "},\"kind\":\"struct\"}"
                      : "},\"kind\":\"union\"}")
               : "},\"kind\":\"struct\"}");
}

static bool
is_first_of(const struct table *t, enum memctx_btf_kind kind,
            const struct memctx_btf_type *type)
{
    struct memctx_btf_type first;
    return memctx_btf_find(t->btf, kind, type->name, &first, NULL) == 0 &&
           first.id == type->id;
}

static bool
is_known(const struct table *t, enum memctx_btf_kind kind, const char *name)
{
    struct memctx_btf_type first;
    return memctx_btf_find(t->btf, kind, name, &first, NULL) == 0;
}

/* Of several of one name there is one: the first struct, else the first union;
 * what is only declared counts if nothing else has its name. */
static bool
is_wanted(const struct table *t, const struct memctx_btf_type *type)
{
    switch ((unsigned)type->kind) {
    case MEMCTX_BTF_STRUCT:
        return type->name[0] == '\0' || is_first_of(t, MEMCTX_BTF_STRUCT, type);
    case MEMCTX_BTF_UNION:
        return type->name[0] == '\0' ||
               (is_first_of(t, MEMCTX_BTF_UNION, type) &&
                !is_known(t, MEMCTX_BTF_STRUCT, type->name));
    case MEMCTX_BTF_FWD:
        return !is_known(t, MEMCTX_BTF_STRUCT, type->name) &&
               !is_known(t, MEMCTX_BTF_UNION, type->name);
    default:
        return false;
    }
}

static void
add_structs(struct table *t)
{
    begin(t, "user_types");
    for (uint32_t id = 1;
         id < memctx_btf_types(t->btf) && !memctx_stream_failed(t->out); id++) {
        struct memctx_btf_type type;
        if (memctx_btf_type(t->btf, id, &type, NULL) == 0 &&
            is_wanted(t, &type))
            add_struct(t, &type);
    }
    add(t, "}");
}

/* The sign of an ENUM64 is told by its flag, that of others too since 6.0. */
static const char *
base_of(const struct memctx_btf_type *type)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(enum_bases); i++) {
        if (enum_bases[i].size == type->size_bytes &&
            enum_bases[i].is_signed == type->flag)
            return enum_bases[i].name;
    }
    return "unsigned int";
}

static void
add_enum(struct table *t, const struct memctx_btf_type *type)
{
    add(t, t->is_first ? "\n" : ",\n");
    t->is_first = false;
    add_type_name(t, type);
    add_number(t, ":{\"size\":", type->size_bytes);
    add(t, ",\"base\":");
    memctx_stream_string(t->out, base_of(type));
    add(t, ",\"constants\":{");
    for (uint32_t i = 0; i < type->n; i++) {
        struct memctx_btf_enumerator one;
        if (memctx_btf_enumerator(t->btf, type, i, &one, NULL) < 0)
            break;
        add(t, i > 0 ? "," : "");
        memctx_stream_string(t->out, one.name);
        add(t, ":");
        memctx_stream_signed(t->out, one.value);
    }
    add(t, "}}");
}

static void
add_enums(struct table *t)
{
    begin(t, "enums");
    for (uint32_t id = 1;
         id < memctx_btf_types(t->btf) && !memctx_stream_failed(t->out); id++) {
        struct memctx_btf_type type;
        if (memctx_btf_type(t->btf, id, &type, NULL) == 0 && is_enum(&type) &&
            (type.name[0] == '\0' || is_first_of(t, type.kind, &type)))
            add_enum(t, &type);
    }
    add(t, "}");
}

/* ---- symbols ------------------------------------------------------------- */

/* Variables that plugins ask for, and what they are. */
static const struct {
    const char *name;
    const char *type; /* a struct */
    bool is_pointer;
} variables[] = {
    {"init_task", "task_struct", false},
    {"init_mm", "mm_struct", false},
    {"init_uts_ns", "uts_namespace", false},
    {"init_pid_ns", "pid_namespace", false},
    {"init_files", "files_struct", false},
    {"init_user_ns", "user_namespace", false},
    {"init_net", "net", false},
    {"modules", "list_head", false},
    {"module_kset", "kset", true},
    {"super_blocks", "list_head", false},
    {"net_namespace_list", "list_head", false},
    {"tty_drivers", "list_head", false},
    {"tcp_hashinfo", "inet_hashinfo", false},
    {"iomem_resource", "resource", false},
    {"keyboard_notifier_list", "atomic_notifier_head", false},
    {"prb", "printk_ringbuffer", true},
};

static void
add_variable_type(const struct table *t, const char *name)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(variables); i++) {
        if (strcmp(variables[i].name, name) != 0 ||
            !is_known(t, MEMCTX_BTF_STRUCT, variables[i].type))
            continue;
        add(t, variables[i].is_pointer
                   ? ",\"type\":{\"kind\":\"pointer\",\"subtype\":{\"kind\":"
                     "\"struct\",\"name\":"
                   : ",\"type\":{\"kind\":\"struct\",\"name\":");
        memctx_stream_string(t->out, variables[i].type);
        add(t, variables[i].is_pointer ? "}}" : "}");
    }
}

/* Where it was linked: KASLR moves the image. What is below it are offsets of
 * variables per CPU. */
static uint64_t
linked(const struct table *t, uint64_t gva)
{
    const struct memctx_linux_facts *facts = &t->kernel->linux_facts;
    return facts->has_kaslr_offset && gva >= t->kernel->base_gva
               ? gva - facts->kaslr_offset
               : gva;
}

static void
add_banner(struct table *t)
{
    size_t len = strlen(t->banner->text) + 1;
    add_key(t, "linux_banner");
    add_number(t, "{\"address\":", linked(t, t->banner->gva));
    add_number(t, ",\"type\":{\"kind\":\"array\",\"count\":", len);
    add(t, ",\"subtype\":{\"kind\":\"base\",\"name\":\"char\"}},"
           "\"constant_data\":");
    memctx_stream_base64(t->out, t->banner->text, len);
    add(t, "}");
}

static uint32_t
hash(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

#define PROBES 64u

/* Names that have been written: a hash table of indices of symbols, + 1. A name
 * that finds no slot is not written: a guest that makes names meet loses them.
 */
struct names {
    uint32_t *slots; /* owned */
    uint32_t mask;
};

static bool
is_new(const struct table *t, struct names *names, const char *name,
       size_t index)
{
    uint32_t at = hash(name);
    for (unsigned i = 0; i < PROBES; i++) {
        uint32_t *slot = &names->slots[(at + i) & names->mask];
        if (*slot == 0) {
            *slot = (uint32_t)index + 1;
            return true;
        }
        const struct memctx_symbol other =
            memctx_symbols_at(t->symbols, *slot - 1);
        if (strcmp(other.name, name) == 0)
            return false;
    }
    return false;
}

static int
add_symbols(struct table *t, struct memctx_error *err)
{
    size_t n = memctx_symbols_count(t->symbols);
    uint32_t size = 1024;
    while (size < 2 * n)
        size *= 2;
    struct names names = {calloc(size, sizeof(uint32_t)), size - 1};
    if (names.slots == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    begin(t, "symbols");
    add_banner(t);
    for (size_t i = 0; i < n && !memctx_stream_failed(t->out); i++) {
        const struct memctx_symbol symbol = memctx_symbols_at(t->symbols, i);
        if (symbol.module[0] != '\0' ||
            strcmp(symbol.name, "linux_banner") == 0 ||
            !is_new(t, &names, symbol.name, i))
            continue;
        add_key(t, symbol.name);
        add_number(t, "{\"address\":", linked(t, symbol.address));
        add_variable_type(t, symbol.name);
        add(t, "}");
    }
    add(t, "}");
    free(names.slots);
    return 0;
}

/* ---- all ----------------------------------------------------------------- */

/* The schema wants a digest of the files that a table was made of; these were
 * none. */
static void
add_metadata(const struct table *t)
{
    static const char none[] = "\"hash_type\":\"sha256\",\"hash_value\":"
                               "\"00000000000000000000000000000000"
                               "00000000000000000000000000000000\"}]";
    add(t, "{\"metadata\":{\"linux\":{\"symbols\":[{\"kind\":\"symtab\","
           "\"name\":\"kallsyms\",");
    add(t, none);
    add(t, ",\"types\":[{\"kind\":\"dwarf\",\"name\":\"BTF\",");
    add(t, none);
    add(t, "},\"producer\":{\"name\":\"memctx\",\"version\":");
    memctx_stream_string(t->out, PACKAGE_VERSION);
    add(t, "},\"format\":\"6.2.0\"}");
}

int
memctx_export_isf(const struct memctx_export_subject *subject,
                  const struct memctx_sink *sink, struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &subject->datum->kernel;
    struct memctx_stream out;
    struct table t = {
        .out = &out,
        .btf = subject->btf,
        .symbols = subject->symbols,
        .banner = subject->banner,
        .kernel = kernel,
        .pointer_bytes =
            memctx_paging_format(kernel->paging)->arch->pointer_bytes};
    memctx_stream_init(&out, sink);
    add_metadata(&t);
    add_bases(&t);
    add_structs(&t);
    add_enums(&t);
    int failed = add_symbols(&t, err);
    add(&t, "}\n");
    return memctx_stream_end(&out, failed < 0 ? NULL : err) < 0 ? -1 : failed;
}
