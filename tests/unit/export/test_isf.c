/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A table for Volatility 3: JSON whatever the names, each type and symbol once,
 * and the numbers that the kernel's own types have. */
#include "unit.h"

#include <json-c/json.h>

#include "base/cleanup.h"
#include "btfimg.h"
#include "export/export.h"
#include "export/stream.h"
#include "text/jsonguard.h"

#define BASE UINT64_C(0xffffffff99a00000)
#define SLIDE UINT64_C(0x18a00000)

struct fixture {
    struct btfimg types;
    struct memctx_btf *btf;
    struct memctx_symbols *symbols;
    struct memctx_banner banner;
    struct memctx_datum datum;
    struct memctx_export_subject subject;
    json_object *table;
    struct memctx_error err;
};

static void
add_symbol(struct fixture *f, const char *name, uint64_t address,
           const char *module)
{
    const struct memctx_symbol symbol = {address, 'D', name, module};
    assert_done(memctx_symbols_add(f->symbols, &symbol, &f->err), &f->err);
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    btfimg_init(&f->types);
    assert_done(memctx_symbols_create(&f->symbols, &f->err), &f->err);
    f->banner = (struct memctx_banner){BASE + 0x100, "Linux version 6.1.0\n"};
    f->datum.kernel = (struct memctx_kernel){
        .os = MEMCTX_OS_LINUX,
        .paging = MEMCTX_PAGING_X86_64_4LEVEL,
        .base_gva = BASE,
        .linux_facts = {.has_kaslr_offset = true, .kaslr_offset = SLIDE}};
    f->subject = (struct memctx_export_subject){
        .datum = &f->datum, .symbols = f->symbols, .banner = &f->banner};
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    json_object_put(f->table);
    memctx_btf_destroy(f->btf);
    memctx_symbols_free(f->symbols);
    free(f);
    return 0;
}

static void
export_table(struct fixture *f)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    size_t len;
    memctx_btf_destroy(f->btf);
    json_object_put(f->table);
    f->btf = btfimg_open(&f->types);
    f->subject.btf = f->btf;
    assert_done(memctx_export(memctx_export_find("isf"), &f->subject, &text,
                              &len, &f->err),
                &f->err);
    f->table = json_tokener_parse(text);
    assert_non_null(f->table);
}

/* What stands at this path of keys, as JSON; "" for nothing. A '/' parts them.
 */
static const char *
at(struct fixture *f, const char *path)
{
    json_object *object = f->table;
    char key[64];
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        snprintf(key, sizeof(key), "%.*s", (int)len, path);
        if (!json_object_object_get_ex(object, key, &object))
            return "";
        path += len + (path[len] == '/');
    }
    return json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
}

#define assert_at(f, path, text) assert_string_equal(at((f), (path)), (text))

static void
test_base_types(void **state)
{
    struct fixture *f = *state;
    const uint32_t flags[] = {MEMCTX_BTF_SIGNED << 24 | 32,
                              MEMCTX_BTF_BOOL << 24 | 8};
    btfimg_add(&f->types, "int", MEMCTX_BTF_INT, 0, 4, &flags[0], 1);
    btfimg_add(&f->types, "_Bool", MEMCTX_BTF_INT, 0, 1, &flags[1], 1);
    btfimg_int(&f->types, "char", 1);
    btfimg_add(&f->types, "double", MEMCTX_BTF_FLOAT, 0, 8, NULL, 0);
    export_table(f);
    assert_at(f, "base_types/int",
              "{\"size\":4,\"signed\":true,\"kind\":\"int\",\"endian\":"
              "\"little\"}");
    assert_at(f, "base_types/_Bool/kind", "\"bool\"");
    assert_at(f, "base_types/char/kind", "\"char\"");
    assert_at(f, "base_types/double/kind", "\"float\"");
    assert_at(f, "base_types/pointer/size", "8");
    assert_at(f, "base_types/long unsigned int/size", "8");
    assert_at(f, "base_types/void/size", "0");
    assert_at(f, "metadata/format", "\"6.2.0\"");
}

static void
test_structs_and_what_is_in_them(void **state)
{
    struct fixture *f = *state;
    uint32_t number = btfimg_int(&f->types, "int", 4);
    uint32_t array = btfimg_array(&f->types, number, 5);
    uint32_t pointer = btfimg_pointer(&f->types, array);
    const struct btfimg_member inner[] = {{"x", number, 0}};
    uint32_t anonymous =
        btfimg_struct(&f->types, MEMCTX_BTF_UNION, "", 4, inner, 1);
    const struct btfimg_member members[] = {
        {"a", pointer, 0}, {"", anonymous, 8}, {"own", f->types.n, 16}};
    btfimg_struct(&f->types, MEMCTX_BTF_STRUCT, "s", 24, members, 3);
    export_table(f);
    assert_at(f, "user_types/s/size", "24");
    assert_at(f, "user_types/s/kind", "\"struct\"");
    assert_at(f, "user_types/s/fields/a",
              "{\"type\":{\"kind\":\"pointer\",\"subtype\":{\"kind\":\"array\","
              "\"count\":5,\"subtype\":{\"kind\":\"base\",\"name\":\"int\"}}},"
              "\"offset\":0}");
    assert_at(f, "user_types/s/fields/unnamed_field_1",
              "{\"type\":{\"kind\":\"union\",\"name\":\"unnamed_00000004\"},"
              "\"offset\":8,\"anonymous\":true}");
    assert_at(f, "user_types/unnamed_00000004/kind", "\"union\"");
    assert_at(f, "user_types/s/fields/own/type/name", "\"s\"");
}

static void
test_bit_fields(void **state)
{
    struct fixture *f = *state;
    uint32_t number = btfimg_int(&f->types, "int", 4);
    const uint32_t bit[] = {btfimg_name(&f->types, "bit"), number,
                            3u << 24 | 37};
    btfimg_add(&f->types, "bits", MEMCTX_BTF_STRUCT, 1u << 31 | 1, 8, bit, 3);
    export_table(f);
    assert_at(f, "user_types/bits/fields/bit",
              "{\"type\":{\"kind\":\"bitfield\",\"bit_position\":5,"
              "\"bit_length\":3,\"type\":{\"kind\":\"base\",\"name\":\"int\"}},"
              "\"offset\":4}");
}

static void
test_each_name_once(void **state)
{
    struct fixture *f = *state;
    btfimg_add(&f->types, "two", MEMCTX_BTF_FWD, 0, 0, NULL, 0);
    btfimg_struct(&f->types, MEMCTX_BTF_UNION, "two", 1, NULL, 0);
    btfimg_struct(&f->types, MEMCTX_BTF_STRUCT, "two", 2, NULL, 0);
    btfimg_struct(&f->types, MEMCTX_BTF_STRUCT, "two", 3, NULL, 0);
    btfimg_add(&f->types, "declared", MEMCTX_BTF_FWD, 1u << 31, 0, NULL, 0);
    add_symbol(f, "same", BASE + 0x10, "");
    add_symbol(f, "same", BASE + 0x20, "");
    export_table(f);
    assert_at(f, "user_types/two/size", "2");
    assert_at(f, "user_types/declared",
              "{\"size\":0,\"fields\":{},\"kind\":"
              "\"union\"}");
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "%llu",
             (unsigned long long)(BASE - SLIDE + 0x10));
    assert_at(f, "symbols/same/address", wanted);
}

static void
test_enums(void **state)
{
    struct fixture *f = *state;
    const struct btfimg_enumerator items[] = {{"ONE", 1}, {"TWO", 2}};
    const uint32_t less[] = {btfimg_name(&f->types, "LESS"), (uint32_t)-5};
    btfimg_enum(&f->types, "count", items, 2);
    btfimg_add(&f->types, "less", MEMCTX_BTF_ENUM, 1u << 31 | 1, 4, less, 2);
    export_table(f);
    assert_at(f, "enums/count",
              "{\"size\":4,\"base\":\"unsigned int\",\"constants\":{\"ONE\":1,"
              "\"TWO\":2}}");
    assert_at(f, "enums/less",
              "{\"size\":4,\"base\":\"int\",\"constants\":{\"LESS\":-5}}");
}

static void
test_symbols_and_the_banner(void **state)
{
    struct fixture *f = *state;
    char wanted[128];
    btfimg_struct(&f->types, MEMCTX_BTF_STRUCT, "task_struct", 8, NULL, 0);
    btfimg_struct(&f->types, MEMCTX_BTF_STRUCT, "kset", 8, NULL, 0);
    add_symbol(f, "init_task", BASE, "");
    add_symbol(f, "module_kset", BASE + 8, "");
    add_symbol(f, "modules", BASE + 16, ""); /* there is no list_head */
    add_symbol(f, "per_cpu", 0x1234, "");
    add_symbol(f, "of_module", BASE, "dummy");
    add_symbol(f, "linux_banner", BASE + 0x999, "");
    export_table(f);
    snprintf(wanted, sizeof(wanted),
             "{\"address\":%llu,\"type\":{\"kind\":\"struct\",\"name\":"
             "\"task_struct\"}}",
             (unsigned long long)(BASE - SLIDE));
    assert_at(f, "symbols/init_task", wanted);
    assert_at(f, "symbols/module_kset/type/subtype/name", "\"kset\"");
    assert_at(f, "symbols/modules/type", "");
    assert_at(f, "symbols/per_cpu", "{\"address\":4660}");
    assert_at(f, "symbols/of_module", "");
    assert_at(f, "symbols/linux_banner/constant_data",
              "\"TGludXggdmVyc2lvbiA2LjEuMAoA\"");
    assert_at(f, "symbols/linux_banner/type/count", "21");
}

/* Types that lead to themselves, and names that are no JSON. */
static void
test_a_hostile_kernel(void **state)
{
    struct fixture *f = *state;
    static const char name[] = "a\"b\\c\n\xff";
    uint32_t own = f->types.n;
    btfimg_pointer(&f->types, own);
    const struct btfimg_member members[] = {{name, own, 0}, {"none", 4096, 8}};
    btfimg_struct(&f->types, MEMCTX_BTF_STRUCT, name, 8, members, 2);
    export_table(f);
    json_object *structs;
    assert_true(json_object_object_get_ex(f->table, "user_types", &structs));
    assert_int_equal(json_object_object_length(structs), 1);
    assert_non_null(strstr(at(f, "user_types"), "a\\\"b\\\\c\\n"));
    assert_non_null(strstr(at(f, "user_types"),
                           "\"none\":{\"type\":{\"kind\":\"base\",\"name\":"
                           "\"void\"},\"offset\":8}"));
}

static int
refuse(void *arg, const void *bytes, size_t len_bytes, struct memctx_error *err)
{
    unsigned *calls = arg;
    (void)bytes;
    ++*calls;
    return memctx_error_set(err, MEMCTX_GONE, "no room for %zu", len_bytes);
}

static void
test_a_sink_that_is_full(void **state)
{
    struct fixture *f = *state;
    char name[16];
    unsigned calls = 0;
    const struct memctx_sink sink = {refuse, &calls};
    for (unsigned i = 0; i < 4000; i++) {
        snprintf(name, sizeof(name), "symbol%u", i);
        add_symbol(f, name, BASE + i, "");
    }
    export_table(f);
    assert_int_equal(memctx_export_to(memctx_export_find("isf"), &f->subject,
                                      &sink, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_GONE, "no room for");
    assert_int_equal(calls, 1);
}

static void
test_without_symbols_there_is_no_table(void **state)
{
    struct fixture *f = *state;
    char *text;
    size_t len;
    f->subject.symbols = NULL;
    assert_int_equal(memctx_export(memctx_export_find("isf"), &f->subject,
                                   &text, &len, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "isf wants");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_base_types),
        T(test_structs_and_what_is_in_them),
        T(test_bit_fields),
        T(test_each_name_once),
        T(test_enums),
        T(test_symbols_and_the_banner),
        T(test_a_hostile_kernel),
        T(test_a_sink_that_is_full),
        T(test_without_symbols_there_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
