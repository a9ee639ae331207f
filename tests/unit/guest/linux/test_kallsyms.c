/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols of a built kernel, in every way in which kernels write them; and
 * tables that say anything. */
#include "unit.h"

#include <stdbool.h>

#include "guestimg.h"
#include "guest/linux/kallsyms.h"

#define RAM (128 * MEMCTX_MIB)

/* Where the tables lie, in bytes from _text. */
#define NUM_SYMS UINT64_C(0x900000)
#define BASE UINT64_C(0x900008)
#define TOKEN_TABLE UINT64_C(0x901000)
#define TOKEN_INDEX UINT64_C(0x902000)
#define OFFSETS UINT64_C(0x903000)
#define NAMES UINT64_C(0x910000)

enum way {
    NEGATIVE,
    POSITIVE,
    SELF
};

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct guestimg_kernel built;
    struct memctx_kernel kernel;
    struct memctx_vmcoreinfo info;
    enum way way;
    uint32_t n;
    uint64_t names_at;
    struct memctx_error err;
};

static void
set_key(struct fixture *f, enum memctx_vmcoreinfo_key key, uint64_t offset)
{
    f->info.has |= UINT64_C(1) << key;
    f->info.value[key] = f->built.text_gva + offset;
}

static void
write_at(struct fixture *f, uint64_t offset, const void *bytes, size_t len)
{
    guestimg_write(&f->img, f->built.text_gpa + offset, bytes, len);
}

static void
write_le32(struct fixture *f, uint64_t offset, uint64_t value)
{
    unsigned char raw[4];
    for (int i = 0; i < 4; i++)
        raw[i] = (unsigned char)(value >> (8 * i));
    write_at(f, offset, raw, sizeof(raw));
}

/* Every byte stands for itself but 1, which is "jiff", and 2, "_64". */
static void
write_tokens(struct fixture *f)
{
    unsigned char table[1024];
    size_t used = 0;
    for (unsigned i = 0; i < 256; i++) {
        char itself[2] = {(char)i, '\0'};
        const char *text = i == 1 ? "jiff" : i == 2 ? "_64" : itself;
        unsigned char index[2] = {(unsigned char)used,
                                  (unsigned char)(used >> 8)};
        write_at(f, TOKEN_INDEX + 2 * i, index, sizeof(index));
        memcpy(table + used, text, strlen(text) + 1);
        used += strlen(text) + 1;
    }
    write_at(f, TOKEN_TABLE, table, used);
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    guestimg_init(&f->img, RAM, RAM);
    f->built = guestimg_kernel();
    guestimg_add_kernel(&f->img, &f->built);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    f->kernel = (struct memctx_kernel){.os = MEMCTX_OS_LINUX,
                                       .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                       .kcr3 = f->built.root_gpa};
    set_key(f, MEMCTX_VMCI_STEXT, 0);
    set_key(f, MEMCTX_VMCI_KALLSYMS_NAMES, NAMES);
    set_key(f, MEMCTX_VMCI_KALLSYMS_NUM_SYMS, NUM_SYMS);
    set_key(f, MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE, TOKEN_TABLE);
    set_key(f, MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX, TOKEN_INDEX);
    set_key(f, MEMCTX_VMCI_KALLSYMS_OFFSETS, OFFSETS);
    set_key(f, MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE, BASE);
    strcpy(f->info.release, "6.1.0");
    f->names_at = NAMES;
    write_tokens(f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

/* A name as kernels write it: length, then tokens, the first with the type. */
static void
add_name(struct fixture *f, const char *tokens, size_t len)
{
    unsigned char head[2] = {(unsigned char)len, (unsigned char)(len >> 7)};
    if (len >= 0x80)
        head[0] |= 0x80;
    write_at(f, f->names_at, head, len >= 0x80 ? 2 : 1);
    f->names_at += len >= 0x80 ? 2 : 1;
    write_at(f, f->names_at, tokens, len);
    f->names_at += len;
}

static void
add_symbol(struct fixture *f, const char *tokens, uint64_t offset)
{
    uint64_t base = f->built.text_gva;
    uint64_t own = base + OFFSETS + 4 * f->n;
    uint64_t value = f->way == NEGATIVE   ? ~offset
                     : f->way == POSITIVE ? offset
                                          : base + offset - own;
    add_name(f, tokens, strlen(tokens));
    write_le32(f, OFFSETS + 4 * f->n, value);
    write_le32(f, NUM_SYMS, ++f->n);
}

static void
write_base(struct fixture *f)
{
    if (f->way == SELF)
        f->info.has &= ~(UINT64_C(1) << MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE);
    else
        guestimg_write_le64(&f->img, f->built.text_gpa + BASE,
                            f->built.text_gva);
}

static int
find(struct fixture *f, uint64_t *gva)
{
    static const char *const names[] = {"jiffies_64", "jiffies", NULL};
    return memctx_linux_kallsyms_find(f->map, &f->kernel, &f->info, names, gva,
                                      &f->err);
}

static void
check_way(struct fixture *f, enum way way)
{
    uint64_t gva = 0;
    f->way = way;
    write_base(f);
    add_symbol(f, "T_stext", 0);
    add_symbol(f, "Tmain", 0x1000);
    add_symbol(f, "D\1ies\2", 0x123458);
    add_symbol(f, "D\1ies", 0x999);
    assert_done(find(f, &gva), &f->err);
    assert_int_equal(gva, f->built.text_gva + 0x123458);
}

static void
test_offsets_that_are_negative(void **state)
{
    check_way(*state, NEGATIVE);
}

static void
test_offsets_from_the_base(void **state)
{
    check_way(*state, POSITIVE);
}

static void
test_offsets_from_themselves(void **state)
{
    check_way(*state, SELF);
}

static void
test_symbol_before_stext_and_long_names(void **state)
{
    struct fixture *f = *state;
    char longer[300];
    uint64_t gva;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    f->way = POSITIVE;
    write_base(f);
    add_symbol(f, longer, 0x10);
    add_symbol(f, "djiffies", 0x20);
    for (unsigned i = 0; i < 1000; i++)
        add_symbol(f, longer, 0x30);
    add_symbol(f, "T_stext", 0);
    assert_done(find(f, &gva), &f->err);
    assert_int_equal(gva, f->built.text_gva + 0x20);
}

static void
test_kernel_without_data_symbols(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    write_base(f);
    add_symbol(f, "T_stext", 0);
    assert_int_equal(find(f, &gva), -1);
    assert_error(&f->err, MEMCTX_RETRY, "1 kernel symbols, but no jiffies_64");
}

static void
test_vmcoreinfo_without_tables(void **state)
{
    struct fixture *f = *state;
    static const enum memctx_vmcoreinfo_key keys[] = {
        MEMCTX_VMCI_KALLSYMS_NAMES, MEMCTX_VMCI_KALLSYMS_OFFSETS,
        MEMCTX_VMCI_STEXT};
    uint64_t gva;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(keys); i++) {
        uint64_t has = f->info.has;
        f->info.has &= ~(UINT64_C(1) << keys[i]);
        assert_int_equal(find(f, &gva), -1);
        assert_error(&f->err, MEMCTX_RETRY, "names no kallsyms tables");
        f->info.has = has;
    }
}

static void
test_number_of_symbols_that_is_not_sane(void **state)
{
    struct fixture *f = *state;
    static const uint32_t counts[] = {0, MEMCTX_KALLSYMS_MAX + 1, UINT32_MAX};
    uint64_t gva;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(counts); i++) {
        write_le32(f, NUM_SYMS, counts[i]);
        assert_int_equal(find(f, &gva), -1);
        assert_error(&f->err, MEMCTX_RETRY, "kernel symbols, at most");
    }
}

static void
test_token_outside_of_the_table(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    write_le32(f, NUM_SYMS, 1);
    write_at(f, TOKEN_INDEX + 2 * 77, "\377\377", 2);
    assert_int_equal(find(f, &gva), -1);
    assert_error(&f->err, MEMCTX_RETRY, "kallsyms token 77 at 65535");
}

/* A table without a NUL, and names that expand without end. */
static void
test_tokens_that_do_not_end(void **state)
{
    struct fixture *f = *state;
    char full[8192];
    uint64_t gva;
    memset(full, 'x', sizeof(full));
    write_at(f, TOKEN_TABLE, full, 4096);
    write_at(f, NAMES, full, sizeof(full));
    write_le32(f, NUM_SYMS, 60);
    assert_int_equal(find(f, &gva), -1);
    assert_error(&f->err, MEMCTX_RETRY, "60 kernel symbols, but no _stext");
}

static void
test_names_that_leave_the_image(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    write_le32(f, NUM_SYMS, MEMCTX_KALLSYMS_MAX);
    /* Zeros are names of no length; more of them than the image has room for.
     */
    set_key(f, MEMCTX_VMCI_KALLSYMS_NAMES, 0xbff000);
    assert_int_equal(find(f, &gva), -1);
    assert_error(&f->err, MEMCTX_RETRY, "kallsyms names");
}

static void
test_stext_somewhere_else(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    f->way = POSITIVE;
    write_base(f);
    add_symbol(f, "T_stext", 0x1000);
    add_symbol(f, "Djiffies", 0x20);
    assert_int_equal(find(f, &gva), -1);
    assert_error(&f->err, MEMCTX_RETRY, "which leads nowhere near");
}

static void
test_every_read_may_fail(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    check_way(f, NEGATIVE);
    unsigned long reads = guestimg_faults()->reads;
    for (unsigned long n = 1; n <= reads; n++) {
        *guestimg_faults() = (struct guestimg_faults){.fail_from = n};
        assert_int_equal(find(f, &gva), -1);
        assert_int_equal(f->err.kind, MEMCTX_RETRY);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_offsets_that_are_negative),
        T(test_offsets_from_the_base),
        T(test_offsets_from_themselves),
        T(test_symbol_before_stext_and_long_names),
        T(test_kernel_without_data_symbols),
        T(test_vmcoreinfo_without_tables),
        T(test_number_of_symbols_that_is_not_sane),
        T(test_token_outside_of_the_table),
        T(test_tokens_that_do_not_end),
        T(test_names_that_leave_the_image),
        T(test_stext_somewhere_else),
        T(test_every_read_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
