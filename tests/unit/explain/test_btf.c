/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Types that make sense, and BTF in which something does not. */
#include "unit.h"

#include "btfimg.h"

/* struct outer { int a; struct { char b[16]; union { long c; int d; }; };
 *                struct inner e; myint f; }; */
struct fixture {
    struct btfimg img;
    struct memctx_btf *btf;
    struct memctx_error err;
    uint32_t of_int;
    uint32_t of_char;
    uint32_t of_long;
    uint32_t of_array;
    uint32_t of_typedef;
    uint32_t of_inner;
    uint32_t of_outer;
};

static void
add_types(struct fixture *f)
{
    struct btfimg *img = &f->img;
    f->of_int = btfimg_int(img, "int", 4);
    f->of_char = btfimg_int(img, "char", 1);
    f->of_long = btfimg_int(img, "long int", 8);
    f->of_array = btfimg_array(img, f->of_char, 16);
    f->of_typedef =
        btfimg_add(img, "myint", MEMCTX_BTF_TYPEDEF, 0, f->of_int, NULL, 0);
    const struct btfimg_member in_union[] = {{"c", f->of_long, 0},
                                             {"d", f->of_int, 0}};
    uint32_t anonymous =
        btfimg_struct(img, MEMCTX_BTF_UNION, "", 8, in_union, 2);
    const struct btfimg_member in_struct[] = {{"b", f->of_array, 0},
                                              {"", anonymous, 16}};
    anonymous = btfimg_struct(img, MEMCTX_BTF_STRUCT, "", 24, in_struct, 2);
    const struct btfimg_member in_inner[] = {{"x", f->of_int, 0},
                                             {"y", f->of_long, 8}};
    f->of_inner =
        btfimg_struct(img, MEMCTX_BTF_STRUCT, "inner", 16, in_inner, 2);
    const struct btfimg_member in_outer[] = {{"a", f->of_int, 0},
                                             {"", anonymous, 8},
                                             {"e", f->of_inner, 32},
                                             {"f", f->of_typedef, 48}};
    f->of_outer =
        btfimg_struct(img, MEMCTX_BTF_STRUCT, "outer", 56, in_outer, 4);
    const struct btfimg_enumerator items[] = {{"ONE", 1}, {"MANY", -1}};
    btfimg_enum(img, "count", items, 2);
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    btfimg_init(&f->img);
    add_types(f);
    f->btf = btfimg_open(&f->img);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_btf_destroy(f->btf);
    free(f);
    return 0;
}

/* Open what the image is now. */
static int
reopen(struct fixture *f)
{
    size_t len;
    unsigned char *bytes = btfimg_bytes(&f->img, &len);
    memctx_btf_destroy(f->btf);
    f->btf = NULL;
    f->err = (struct memctx_error)MEMCTX_ERROR_INIT;
    return memctx_btf_create(bytes, len, NULL, &f->btf, &f->err);
}

static void
assert_offset(struct fixture *f, const char *path, uint64_t offset,
              uint64_t size)
{
    struct memctx_btf_field field;
    uint64_t found;
    assert_done(memctx_btf_field(f->btf, "outer", path, &field, &f->err),
                &f->err);
    assert_int_equal(field.offset_bits, 8 * offset);
    assert_done(memctx_btf_size(f->btf, field.type, 8, &found, &f->err),
                &f->err);
    assert_int_equal(found, size);
}

/* ---- what is asked for -------------------------------------------------- */

static void
test_members_are_found_as_in_c(void **state)
{
    struct fixture *f = *state;
    assert_offset(f, "a", 0, 4);
    assert_offset(f, "b", 8, 16);
    assert_offset(f, "c", 24, 8);
    assert_offset(f, "d", 24, 4);
    assert_offset(f, "e", 32, 16);
    assert_offset(f, "e.y", 40, 8);
    assert_offset(f, "f", 48, 4);
}

static void
test_members_that_are_not_there(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"",     "z",  "e.z", "a.x",
                                        "e.x.", "aa", "e.",  ".a"};
    struct memctx_btf_field field;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(paths); i++) {
        assert_int_equal(
            memctx_btf_field(f->btf, "outer", paths[i], &field, &f->err), -1);
        assert_error(&f->err, MEMCTX_RETRY, "BTF has no");
    }
    assert_int_equal(memctx_btf_field(f->btf, "no", "a", &field, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "BTF has no no");
}

static void
test_enumerators_have_signs(void **state)
{
    struct fixture *f = *state;
    int64_t value;
    assert_done(memctx_btf_value(f->btf, "count", "ONE", &value, &f->err),
                &f->err);
    assert_int_equal(value, 1);
    assert_done(memctx_btf_value(f->btf, "count", "MANY", &value, &f->err),
                &f->err);
    assert_int_equal(value, UINT32_MAX); /* no kind_flag: unsigned */
    assert_int_equal(memctx_btf_value(f->btf, "count", "TWO", &value, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "enum count of BTF has no TWO");
}

static void
test_flags_of_enums_and_structs(void **state)
{
    struct fixture *f = *state;
    const uint32_t item[] = {btfimg_name(&f->img, "LESS"), (uint32_t)-5};
    const uint32_t big[] = {btfimg_name(&f->img, "BIG"), 1, 2};
    const uint32_t bits[] = {btfimg_name(&f->img, "bit"), f->of_int,
                             3u << 24 | 37};
    int64_t value;
    struct memctx_btf_field field;
    btfimg_add(&f->img, "less", MEMCTX_BTF_ENUM, 1u << 31 | 1, 4, item, 2);
    btfimg_add(&f->img, "big", MEMCTX_BTF_ENUM64, 1, 8, big, 3);
    btfimg_add(&f->img, "bits", MEMCTX_BTF_STRUCT, 1u << 31 | 1, 8, bits, 3);
    assert_done(reopen(f), &f->err);
    assert_done(memctx_btf_value(f->btf, "less", "LESS", &value, &f->err),
                &f->err);
    assert_int_equal(value, -5);
    assert_done(memctx_btf_value(f->btf, "big", "BIG", &value, &f->err),
                &f->err);
    assert_int_equal(value, INT64_C(0x200000001));
    assert_done(memctx_btf_field(f->btf, "bits", "bit", &field, &f->err),
                &f->err);
    assert_int_equal(field.offset_bits, 37);
    assert_int_equal(field.bits, 3);
}

static void
test_every_kind_has_its_length(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum memctx_btf_kind kind;
        uint32_t vlen;
        size_t words;
    } rows[] = {
        {MEMCTX_BTF_INT, 0, 1},        {MEMCTX_BTF_PTR, 0, 0},
        {MEMCTX_BTF_ARRAY, 0, 3},      {MEMCTX_BTF_STRUCT, 2, 6},
        {MEMCTX_BTF_UNION, 1, 3},      {MEMCTX_BTF_ENUM, 2, 4},
        {MEMCTX_BTF_FWD, 0, 0},        {MEMCTX_BTF_TYPEDEF, 0, 0},
        {MEMCTX_BTF_VOLATILE, 0, 0},   {MEMCTX_BTF_CONST, 0, 0},
        {MEMCTX_BTF_RESTRICT, 0, 0},   {MEMCTX_BTF_FUNC, 1, 0},
        {MEMCTX_BTF_FUNC_PROTO, 2, 4}, {MEMCTX_BTF_VAR, 0, 1},
        {MEMCTX_BTF_DATASEC, 2, 6},    {MEMCTX_BTF_FLOAT, 0, 0},
        {MEMCTX_BTF_DECL_TAG, 0, 1},   {MEMCTX_BTF_TYPE_TAG, 0, 0},
        {MEMCTX_BTF_ENUM64, 1, 3},
    };
    static const uint32_t zeros[6];
    struct memctx_btf_type type;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        uint32_t id = btfimg_add(&f->img, "one", rows[i].kind, rows[i].vlen, 0,
                                 zeros, rows[i].words);
        uint32_t last = btfimg_int(&f->img, "last", 4);
        assert_done(reopen(f), &f->err);
        assert_int_equal(memctx_btf_types(f->btf), last + 1);
        assert_done(memctx_btf_type(f->btf, id, &type, &f->err), &f->err);
        assert_int_equal(type.kind, rows[i].kind);
        assert_string_equal(type.name, "one");
        assert_done(memctx_btf_type(f->btf, last, &type, &f->err), &f->err);
        assert_string_equal(type.name, "last");
    }
}

static void
test_of_two_types_the_first_counts(void **state)
{
    struct fixture *f = *state;
    struct memctx_btf_type type;
    btfimg_struct(&f->img, MEMCTX_BTF_STRUCT, "inner", 99, NULL, 0);
    btfimg_struct(&f->img, MEMCTX_BTF_UNION, "inner", 98, NULL, 0);
    assert_done(reopen(f), &f->err);
    assert_done(
        memctx_btf_find(f->btf, MEMCTX_BTF_STRUCT, "inner", &type, &f->err),
        &f->err);
    assert_int_equal(type.id, f->of_inner);
    assert_done(
        memctx_btf_find(f->btf, MEMCTX_BTF_UNION, "inner", &type, &f->err),
        &f->err);
    assert_int_equal(type.size_bytes, 98);
}

/* ---- what a guest may write --------------------------------------------- */

static void
test_headers_that_are_none(void **state)
{
    struct fixture *f = *state;
    static const struct {
        size_t at;
        uint32_t word;
        const char *words;
    } rows[] = {
        {0, 0x0001eb9e, "no header"},
        {0, 0x0002eb9f, "no header"},
        {4, 20, "no header"},
        {4, UINT32_MAX, "no header"},
        {8, UINT32_MAX, "a section"},
        {12, UINT32_MAX, "a section"},
        {16, UINT32_MAX - 3, "a section"},
        {20, UINT32_MAX, "a section"},
        {20, 0, "do not begin with none"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct memctx_btf *btf = NULL;
        size_t len;
        unsigned char *bytes = btfimg_bytes(&f->img, &len);
        memcpy(bytes + rows[i].at, &rows[i].word, 4);
        assert_int_equal(memctx_btf_create(bytes, len, NULL, &btf, &f->err),
                         -1);
        assert_error(&f->err, MEMCTX_RETRY, rows[i].words);
        assert_null(btf);
    }
}

static void
test_a_longer_header(void **state)
{
    struct fixture *f = *state;
    struct memctx_btf *btf;
    size_t len;
    unsigned char *bytes = btfimg_bytes(&f->img, &len);
    unsigned char *longer = calloc(1, len + 8);
    memcpy(longer, bytes, BTFIMG_HEADER);
    memcpy(longer + BTFIMG_HEADER + 8, bytes + BTFIMG_HEADER,
           len - BTFIMG_HEADER);
    longer[4] = BTFIMG_HEADER + 8;
    free(bytes);
    assert_done(memctx_btf_create(longer, len + 8, NULL, &btf, &f->err),
                &f->err);
    assert_int_equal(memctx_btf_types(btf), memctx_btf_types(f->btf));
    memctx_btf_destroy(btf);
}

static void
test_btf_that_is_too_long(void **state)
{
    struct fixture *f = *state;
    struct memctx_btf *btf = NULL;
    size_t len = MEMCTX_BTF_BYTES_MAX + 1;
    assert_int_equal(
        memctx_btf_create(calloc(1, len), len, NULL, &btf, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "at most 24 MiB");
}

static void
test_kinds_that_nobody_knows(void **state)
{
    struct fixture *f = *state;
    static const uint32_t kinds[] = {0, MEMCTX_BTF_KINDS, 31};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(kinds); i++) {
        struct btfimg before = f->img;
        btfimg_add(&f->img, "", (enum memctx_btf_kind)kinds[i], 0, 0, NULL, 0);
        assert_int_equal(reopen(f), -1);
        assert_error(&f->err, MEMCTX_RETRY, "BTF has kind");
        f->img = before;
    }
}

static void
test_members_that_end_behind_all(void **state)
{
    struct fixture *f = *state;
    btfimg_add(&f->img, "cut", MEMCTX_BTF_STRUCT, 65535, 8, NULL, 0);
    assert_int_equal(reopen(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "ends behind all types");
}

static void
test_names_without_an_end(void **state)
{
    struct fixture *f = *state;
    char name[MEMCTX_BTF_NAME_MAX + 1];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    btfimg_struct(&f->img, MEMCTX_BTF_STRUCT, name, 8, NULL, 0);
    assert_int_equal(reopen(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no name at");
    btfimg_init(&f->img);
    btfimg_struct(&f->img, MEMCTX_BTF_STRUCT, name + 1, 8, NULL, 0);
    assert_done(reopen(f), &f->err);
}

static void
test_ids_and_indices_that_are_none(void **state)
{
    struct fixture *f = *state;
    struct memctx_btf_type type;
    struct memctx_btf_member member;
    struct memctx_btf_enumerator one;
    uint64_t size;
    assert_int_equal(
        memctx_btf_type(f->btf, memctx_btf_types(f->btf), &type, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "of BTF, which has");
    assert_done(memctx_btf_type(f->btf, f->of_outer, &type, &f->err), &f->err);
    assert_int_equal(memctx_btf_member(f->btf, &type, 4, &member, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "has no member 4");
    assert_int_equal(memctx_btf_enumerator(f->btf, &type, 0, &one, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "has no enumerator 0");
    assert_int_equal(memctx_btf_size(f->btf, 0, 8, &size, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "has no size");
}

static void
test_types_that_lead_to_themselves(void **state)
{
    struct fixture *f = *state;
    struct memctx_btf_type type;
    uint64_t size;
    uint32_t own = f->img.n;
    btfimg_add(&f->img, "own", MEMCTX_BTF_TYPEDEF, 0, own, NULL, 0);
    uint32_t array = btfimg_array(&f->img, own + 1, 1);
    assert_done(reopen(f), &f->err);
    assert_int_equal(memctx_btf_strip(f->btf, own, &type, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "leads to no end");
    assert_int_equal(memctx_btf_size(f->btf, array, 8, &size, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "array without end");
}

static void
test_arrays_that_are_too_large(void **state)
{
    struct fixture *f = *state;
    uint64_t size;
    uint32_t array = f->of_long;
    for (unsigned i = 0; i < 3; i++)
        array = btfimg_array(&f->img, array, UINT32_MAX);
    assert_done(reopen(f), &f->err);
    assert_int_equal(memctx_btf_size(f->btf, array, 8, &size, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "array without end");
}

/* Two members that are both the struct below: 2^n of them, n deep. */
static void
test_anonymous_members_without_end(void **state)
{
    struct fixture *f = *state;
    struct memctx_btf_field field;
    uint32_t inner = f->img.n;
    const struct btfimg_member itself[] = {
        {"", inner, 0}, {"", inner, 8}, {"", inner, 16}};
    btfimg_struct(&f->img, MEMCTX_BTF_STRUCT, "", 24, itself, 3);
    const struct btfimg_member members[] = {{"", inner, 0}, {"z", 1, 24}};
    btfimg_struct(&f->img, MEMCTX_BTF_STRUCT, "deep", 32, members, 2);
    assert_done(reopen(f), &f->err);
    assert_int_equal(memctx_btf_field(f->btf, "deep", "y", &field, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "BTF has no deep.y");
}

static void
test_all_is_paid_for(void **state)
{
    struct fixture *f = *state;
    struct memctx_work work;
    struct memctx_btf *btf = NULL;
    struct memctx_btf_field field;
    size_t len;
    /* Types enough to take a step. */
    for (unsigned i = 0; i < MEMCTX_WORK_LOOKS; i++)
        btfimg_pointer(&f->img, 0);
    unsigned char *bytes = btfimg_bytes(&f->img, &len);
    memctx_work_begin(&work, 0, NULL, NULL);
    assert_int_equal(memctx_btf_create(bytes, len, &work, &btf, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "gave up among the types");
    bytes = btfimg_bytes(&f->img, &len);
    memctx_work_begin(&work, 100, NULL, NULL);
    assert_done(memctx_btf_create(bytes, len, &work, &btf, &f->err), &f->err);
    while (memctx_btf_field(btf, "outer", "f", &field, &f->err) == 0)
        assert_true(memctx_work_left(&work) < 100);
    assert_true(memctx_work_is_over(&work));
    memctx_btf_destroy(btf);
}

/* Ask for all that there is. */
static void
use(const struct memctx_btf *btf)
{
    struct memctx_btf_type type;
    struct memctx_btf_member member;
    struct memctx_btf_enumerator one;
    struct memctx_btf_field field;
    uint64_t size;
    for (uint32_t id = 0; id < memctx_btf_types(btf); id++) {
        if (memctx_btf_type(btf, id, &type, NULL) < 0)
            continue;
        for (uint32_t i = 0; i < type.n; i++) {
            memctx_btf_member(btf, &type, i, &member, NULL);
            memctx_btf_enumerator(btf, &type, i, &one, NULL);
        }
        memctx_btf_size(btf, id, 8, &size, NULL);
    }
    memctx_btf_field(btf, "outer", "e.y", &field, NULL);
}

/* Sanitizers and valgrind see what of this leaves the bytes. */
static void
test_every_byte_may_be_another(void **state)
{
    struct fixture *f = *state;
    static const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    size_t len;
    unsigned char *bytes = btfimg_bytes(&f->img, &len);
    unsigned opened = 0;
    for (size_t at = 0; at < len * MEMCTX_ARRAY_LEN(values); at++) {
        struct memctx_btf *btf = NULL;
        unsigned char *copy = malloc(len);
        memcpy(copy, bytes, len);
        copy[at / MEMCTX_ARRAY_LEN(values)] =
            values[at % MEMCTX_ARRAY_LEN(values)];
        if (memctx_btf_create(copy, len, NULL, &btf, NULL) < 0)
            continue;
        use(btf);
        memctx_btf_destroy(btf);
        opened++;
    }
    assert_true(opened > len);
    free(bytes);
}

static void
test_every_length_may_be_another(void **state)
{
    struct fixture *f = *state;
    size_t len;
    unsigned char *bytes = btfimg_bytes(&f->img, &len);
    for (size_t cut = 0; cut < len; cut++) {
        struct memctx_btf *btf = NULL;
        unsigned char *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        assert_int_equal(memctx_btf_create(copy, cut, NULL, &btf, &f->err), -1);
        assert_int_equal(f->err.kind, MEMCTX_RETRY);
    }
    free(bytes);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_members_are_found_as_in_c),
        T(test_members_that_are_not_there),
        T(test_enumerators_have_signs),
        T(test_flags_of_enums_and_structs),
        T(test_every_kind_has_its_length),
        T(test_of_two_types_the_first_counts),
        T(test_headers_that_are_none),
        T(test_a_longer_header),
        T(test_btf_that_is_too_long),
        T(test_kinds_that_nobody_knows),
        T(test_members_that_end_behind_all),
        T(test_names_without_an_end),
        T(test_ids_and_indices_that_are_none),
        T(test_types_that_lead_to_themselves),
        T(test_arrays_that_are_too_large),
        T(test_anonymous_members_without_end),
        T(test_all_is_paid_for),
        T(test_every_byte_may_be_another),
        T(test_every_length_may_be_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
