/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Symbols of a built kernel, in every way in which kernels write them; and
 * tables that say anything. */
#include "unit.h"

#include "guest/linux/kallsyms.h"
#include "symimg.h"

#define RAM (128 * MEMCTX_MIB)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct guestimg_kernel built;
    struct memctx_kernel kernel;
    struct memctx_vmcoreinfo info;
    struct symimg sym;
    struct memctx_error err;
};

static void
set_key(struct fixture *f, enum memctx_vmcoreinfo_key key, uint64_t offset)
{
    f->info.has |= UINT64_C(1) << key;
    f->info.value[key] = f->built.text_gva + offset;
}

static void
begin(struct fixture *f, enum symimg_way way)
{
    f->sym = symimg(&f->img, f->built.text_gpa, f->built.text_gva, way);
    if (way == SYMIMG_SELF)
        f->info.has &= ~(UINT64_C(1) << MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE);
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
    set_key(f, MEMCTX_VMCI_KALLSYMS_NAMES, SYMIMG_NAMES);
    set_key(f, MEMCTX_VMCI_KALLSYMS_NUM_SYMS, SYMIMG_NUM_SYMS);
    set_key(f, MEMCTX_VMCI_KALLSYMS_TOKEN_TABLE, SYMIMG_TOKEN_TABLE);
    set_key(f, MEMCTX_VMCI_KALLSYMS_TOKEN_INDEX, SYMIMG_TOKEN_INDEX);
    set_key(f, MEMCTX_VMCI_KALLSYMS_OFFSETS, SYMIMG_OFFSETS);
    set_key(f, MEMCTX_VMCI_KALLSYMS_RELATIVE_BASE, SYMIMG_BASE);
    strcpy(f->info.release, "6.1.0");
    begin(f, SYMIMG_NEGATIVE);
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

static int
find(struct fixture *f, uint64_t *gva)
{
    static const char *const names[] = {"jiffies_64", "jiffies", NULL};
    struct memctx_kallsym symbol = {.names = names};
    if (memctx_linux_kallsyms_find(f->map, &f->kernel, &f->info, &symbol, 1,
                                   &f->err) < 0)
        return -1;
    *gva = symbol.gva;
    return symbol.found ? 0 : 1;
}

static void
check_way(struct fixture *f, enum symimg_way way)
{
    uint64_t gva = 0;
    begin(f, way);
    symimg_add(&f->sym, "T_stext", 0);
    symimg_add(&f->sym, "Tmain", 0x1000);
    symimg_add(&f->sym, "D\1ies\2", 0x123458);
    symimg_add(&f->sym, "D\1ies", 0x999);
    assert_done(find(f, &gva), &f->err);
    assert_int_equal(gva, f->built.text_gva + 0x123458);
}

static void
test_offsets_that_are_negative(void **state)
{
    check_way(*state, SYMIMG_NEGATIVE);
}

static void
test_offsets_from_the_base(void **state)
{
    check_way(*state, SYMIMG_POSITIVE);
}

static void
test_offsets_from_themselves(void **state)
{
    check_way(*state, SYMIMG_SELF);
}

static void
test_symbol_before_stext_and_long_names(void **state)
{
    struct fixture *f = *state;
    char longer[300];
    uint64_t gva;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    begin(f, SYMIMG_POSITIVE);
    symimg_add(&f->sym, longer, 0x10);
    symimg_add(&f->sym, "djiffies", 0x20);
    for (unsigned i = 0; i < 1000; i++)
        symimg_add(&f->sym, longer, 0x30);
    symimg_add(&f->sym, "T_stext", 0);
    assert_done(find(f, &gva), &f->err);
    assert_int_equal(gva, f->built.text_gva + 0x20);
}

static void
test_kernel_without_data_symbols(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    symimg_add(&f->sym, "T_stext", 0);
    assert_int_equal(find(f, &gva), 1);
}

/* In whichever order, and where one is missing. */
static void
test_several_symbols_in_one_pass(void **state)
{
    static const char *const first[] = {"jiffies", NULL};
    static const char *const none[] = {"nothing", NULL};
    static const char *const last[] = {"panic_cpu", NULL};
    struct memctx_kallsym symbols[] = {
        {.names = last}, {.names = none}, {.names = first}};
    struct fixture *f = *state;
    symimg_add(&f->sym, "djiffies", 0x20);
    symimg_add(&f->sym, "T_stext", 0);
    symimg_add(&f->sym, "Dpanic_cpu", 0x40);
    assert_done(memctx_linux_kallsyms_find(f->map, &f->kernel, &f->info,
                                           symbols, 3, &f->err),
                &f->err);
    assert_true(symbols[0].found && !symbols[1].found && symbols[2].found);
    assert_int_equal(symbols[0].gva, f->built.text_gva + 0x40);
    assert_int_equal(symbols[2].gva, f->built.text_gva + 0x20);
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
        symimg_write_le32(&f->sym, SYMIMG_NUM_SYMS, counts[i]);
        assert_int_equal(find(f, &gva), -1);
        assert_error(&f->err, MEMCTX_RETRY, "kernel symbols, at most");
    }
}

static void
test_token_outside_of_the_table(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    symimg_write_le32(&f->sym, SYMIMG_NUM_SYMS, 1);
    symimg_write(&f->sym, SYMIMG_TOKEN_INDEX + 2 * 77, "\377\377", 2);
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
    symimg_write(&f->sym, SYMIMG_TOKEN_TABLE, full, 4096);
    symimg_write(&f->sym, SYMIMG_NAMES, full, sizeof(full));
    symimg_write_le32(&f->sym, SYMIMG_NUM_SYMS, 60);
    assert_int_equal(find(f, &gva), -1);
    assert_error(&f->err, MEMCTX_RETRY, "60 kernel symbols, but no _stext");
}

static void
test_names_that_leave_the_image(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    symimg_write_le32(&f->sym, SYMIMG_NUM_SYMS, MEMCTX_KALLSYMS_MAX);
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
    begin(f, SYMIMG_POSITIVE);
    symimg_add(&f->sym, "T_stext", 0x1000);
    symimg_add(&f->sym, "Djiffies", 0x20);
    assert_int_equal(find(f, &gva), -1);
    assert_error(&f->err, MEMCTX_RETRY, "which leads nowhere near");
}

static void
test_every_read_may_fail(void **state)
{
    struct fixture *f = *state;
    uint64_t gva;
    check_way(f, SYMIMG_NEGATIVE);
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
        T(test_several_symbols_in_one_pass),
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
