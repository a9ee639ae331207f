/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All symbols of a built kernel: where VMCOREINFO names their tables, and where
 * these have to be found; and of tables that are a lie. */
#include "unit.h"

#include <inttypes.h>

#include "charged.h"
#include "explain/symbols.h"
#include "symimg.h"
#include "tableimg.h"

#define RAM (128 * MEMCTX_MIB)
#define IMAGE (12 * MEMCTX_MIB)

/* Where tables are that nobody names, in bytes from _text. */
#define TABLES UINT64_C(0x900000)

#define assert_failed(call, error, wanted)         \
    do {                                           \
        assert_int_equal((call), -1);              \
        assert_int_equal((error)->kind, (wanted)); \
    } while (0)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_work work;
    struct guestimg_kernel built;
    struct memctx_kernel kernel;
    struct memctx_target target;
    struct memctx_symbols *symbols;
    char note[4096];
    struct tableimg tables;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->built = guestimg_kernel();
    guestimg_add_kernel(&f->img, &f->built);
    f->map = guestimg_rammap(&f->img, NULL);
    charge_map(&f->map, &f->work, MEMCTX_SYMBOLS_STEPS);
    f->kernel = (struct memctx_kernel){.os = MEMCTX_OS_LINUX,
                                       .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                                       .kcr3 = f->built.root_gpa,
                                       .base_gva = f->built.text_gva,
                                       .size_bytes = IMAGE};
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_symbols_free(f->symbols);
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static int
read_symbols(struct fixture *f)
{
    memctx_symbols_free(f->symbols);
    f->symbols = NULL;
    memctx_work_begin(&f->work, MEMCTX_SYMBOLS_STEPS, NULL, NULL);
    memctx_target_init(&f->target, f->map, &f->kernel, f->note,
                       strlen(f->note));
    return memctx_symbols_read(&f->target, &f->symbols, &f->err);
}

static void
assert_symbol(const struct fixture *f, size_t index, uint64_t address,
              char type, const char *name)
{
    struct memctx_symbol symbol = memctx_symbols_at(f->symbols, index);
    assert_true(symbol.address == address);
    assert_int_equal(symbol.type, type);
    assert_string_equal(symbol.name, name);
    assert_string_equal(symbol.module, "");
}

/* ---- tables that VMCOREINFO names ---------------------------------------- */

static void
name_tables(struct fixture *f, const struct symimg *sym)
{
    int len = snprintf(f->note, sizeof(f->note),
                       "OSRELEASE=6.1.0\nSYMBOL(_stext)=%" PRIx64 "\n",
                       f->built.text_gva);
    symimg_lines(sym, f->note + len, sizeof(f->note) - (size_t)len);
}

static void
test_tables_that_are_named(void **state)
{
    struct fixture *f = *state;
    for (int way = SYMIMG_NEGATIVE; way <= SYMIMG_SELF; way++) {
        struct symimg sym = symimg(&f->img, f->built.text_gpa,
                                   f->built.text_gva, (enum symimg_way)way);
        symimg_add(&sym, "T_stext", 0);
        symimg_add(&sym, "Dinit_task", 0x4000);
        symimg_add(&sym, "D\x01ies\x02", 0x8000);
        symimg_add(&sym, "tsame", 0x100);
        symimg_add(&sym, "tsame", 0x200);
        name_tables(f, &sym);
        assert_done(read_symbols(f), &f->err);
        assert_int_equal(memctx_symbols_count(f->symbols), 5);
        assert_symbol(f, 0, f->built.text_gva, 'T', "_stext");
        assert_symbol(f, 1, f->built.text_gva + 0x4000, 'D', "init_task");
        assert_symbol(f, 2, f->built.text_gva + 0x8000, 'D', "jiffies_64");
        assert_symbol(f, 4, f->built.text_gva + 0x200, 't', "same");
    }
}

/* With CONFIG_KALLSYMS_ABSOLUTE_PERCPU what is per CPU is no offset. */
static void
test_symbols_of_a_cpu(void **state)
{
    struct fixture *f = *state;
    struct symimg sym =
        symimg(&f->img, f->built.text_gpa, f->built.text_gva, SYMIMG_NEGATIVE);
    symimg_add(&sym, "Afixed_percpu_data", 0);
    symimg_add(&sym, "T_stext", 0);
    symimg_write_le32(&sym, SYMIMG_OFFSETS, 0x1c000);
    name_tables(f, &sym);
    assert_done(read_symbols(f), &f->err);
    assert_symbol(f, 0, 0x1c000, 'A', "fixed_percpu_data");
    assert_symbol(f, 1, f->built.text_gva, 'T', "_stext");
}

static void
test_names_that_no_terminal_should_see(void **state)
{
    struct fixture *f = *state;
    struct symimg sym =
        symimg(&f->img, f->built.text_gpa, f->built.text_gva, SYMIMG_POSITIVE);
    symimg_add(&sym, "T_stext", 0);
    symimg_add(&sym, "\x1b\x1b[2J\xff", 1);
    symimg_add(&sym, "", 2);
    name_tables(f, &sym);
    assert_done(read_symbols(f), &f->err);
    assert_symbol(f, 1, f->built.text_gva + 1, '?', "?[2J?");
    assert_symbol(f, 2, f->built.text_gva + 2, '?', "");
}

static void
test_kernel_without_stext(void **state)
{
    struct fixture *f = *state;
    struct symimg sym =
        symimg(&f->img, f->built.text_gpa, f->built.text_gva, SYMIMG_POSITIVE);
    symimg_add(&sym, "T_text", 0);
    name_tables(f, &sym);
    assert_failed(read_symbols(f), &f->err, MEMCTX_RETRY);
    /* It is not where VMCOREINFO has it. */
    symimg_add(&sym, "T_stext", 8);
    assert_failed(read_symbols(f), &f->err, MEMCTX_RETRY);
}

static void
test_finding_one(void **state)
{
    struct fixture *f = *state;
    struct memctx_symbol found = {.address = 77};
    struct memctx_symbol module = {0x500, 't', "init", "virtio"};
    assert_done(memctx_symbols_create(&f->symbols, &f->err), &f->err);
    assert_int_equal(memctx_symbols_find(f->symbols, "init", &found), -1);
    assert_int_equal(memctx_symbols_below(f->symbols, 5, &found), -1);
    const struct memctx_symbol first = {0x300, 'T', "init", ""};
    assert_done(memctx_symbols_add(f->symbols, &first, &f->err), &f->err);
    assert_done(memctx_symbols_add(f->symbols, &module, &f->err), &f->err);
    module.name = "exit";
    module.address = 0x400;
    assert_done(memctx_symbols_add(f->symbols, &module, &f->err), &f->err);
    assert_int_equal(memctx_symbols_find(f->symbols, "init", &found), 0);
    assert_int_equal(found.address, 0x300);
    assert_int_equal(memctx_symbols_find(f->symbols, "exit", &found), 0);
    assert_string_equal(found.module, "virtio");
    assert_int_equal(memctx_symbols_find(f->symbols, "exi", &found), -1);
    assert_int_equal(memctx_symbols_below(f->symbols, 0x2ff, &found), -1);
    assert_int_equal(memctx_symbols_below(f->symbols, 0x4ff, &found), 0);
    assert_int_equal(found.address, 0x400);
    assert_int_equal(memctx_symbols_below(f->symbols, UINT64_MAX, &found), 0);
    assert_string_equal(found.module, "virtio");
    assert_int_equal(found.address, 0x500);
}

/* ---- some of them -------------------------------------------------------- */

static void
test_those_that_are_asked_for(void **state)
{
    static const char *const names[] = {"same", "jiffies_64", "jiffies", "t",
                                        "_stext"};
    struct fixture *f = *state;
    uint64_t gva[MEMCTX_ARRAY_LEN(names)];
    uint64_t base = f->built.text_gva;
    struct symimg sym =
        symimg(&f->img, f->built.text_gpa, base, SYMIMG_POSITIVE);
    symimg_add(&sym, "T_stext", 0);
    symimg_add(&sym, "tsame", 0x100);
    symimg_add(&sym, "tsame", 0x200);
    symimg_add(&sym, "", 0x300);
    symimg_add(&sym, "D\x01ies\x02", 0x8000);
    name_tables(f, &sym);
    assert_done(read_symbols(f), &f->err);
    assert_done(memctx_symbols_locate(&f->target, names,
                                      MEMCTX_ARRAY_LEN(names), gva, &f->err),
                &f->err);
    const uint64_t wanted[] = {base + 0x100, base + 0x8000, 0, 0, base};
    assert_memory_equal(gva, wanted, sizeof(wanted));
}

static void
test_asking_a_kernel_without_stext(void **state)
{
    static const char *const name = "_text";
    struct fixture *f = *state;
    uint64_t gva;
    struct symimg sym =
        symimg(&f->img, f->built.text_gpa, f->built.text_gva, SYMIMG_POSITIVE);
    symimg_add(&sym, "T_text", 0);
    name_tables(f, &sym);
    assert_failed(read_symbols(f), &f->err, MEMCTX_RETRY);
    assert_failed(memctx_symbols_locate(&f->target, &name, 1, &gva, &f->err),
                  &f->err, MEMCTX_RETRY);
    assert_string_equal(f->err.message, "1 kernel symbols, but no _stext");
}

static void
test_some_that_are_missing(void **state)
{
    struct fixture *f = *state;
    const struct memctx_error why = {MEMCTX_RETRY, "a list broke off"};
    assert_done(memctx_symbols_create(&f->symbols, &f->err), &f->err);
    assert_null(memctx_symbols_broken(f->symbols));
    memctx_symbols_break(f->symbols, &why);
    assert_string_equal(memctx_symbols_broken(f->symbols), "a list broke off");
}

/* ---- tables that have to be found ---------------------------------------- */

static void
make_tables(struct fixture *f)
{
    tableimg_init(&f->tables, f->built.text_gva);
    snprintf(f->note, sizeof(f->note),
             "OSRELEASE=5.10.0\nSYMBOL(_stext)=%" PRIx64 "\n",
             f->built.text_gva);
}

static void
write_tables(const struct fixture *f)
{
    guestimg_write(&f->img, f->built.text_gpa + TABLES, f->tables.bytes,
                   f->tables.used);
}

static void
test_tables_that_are_found(void **state)
{
    struct fixture *f = *state;
    static const char decoy[] =
        "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";
    make_tables(f);
    write_tables(f);
    /* Digits also stand elsewhere, before and at the edge of a chunk. */
    guestimg_write(&f->img, f->built.text_gpa + 0x800000, decoy, sizeof(decoy));
    guestimg_write(&f->img, f->built.text_gpa + 0x8ffff8, decoy,
                   8 /* the rest is of the tables */);
    assert_done(read_symbols(f), &f->err);
    assert_int_equal(memctx_symbols_count(f->symbols), TABLEIMG_SYMBOLS);
    for (unsigned i = 0; i < TABLEIMG_SYMBOLS; i++) {
        char text[32];
        tableimg_name(i, text);
        assert_symbol(f, i, f->built.text_gva + (i == 3 ? 0 : 16 * i), text[0],
                      text + 1);
    }
}

/* Each table contradicts the others in one place. */
static void
test_tables_that_are_not_found(void **state)
{
    struct fixture *f = *state;
    make_tables(f);
    const struct {
        size_t at;
        unsigned char byte;
    } lies[] = {
        {f->tables.token_index + 2 * 77, 0xee},
        {f->tables.token_table + 2 * 200 - 1, 0},
        {f->tables.markers + 1, 1},
        {f->tables.markers + 4 * 7 + 2, 0xff},
        {f->tables.markers + 4 * 9 + 3, 0x7f},
        {f->tables.num_syms + 1, 0},
        {f->tables.num_syms, 0},
        {f->tables.names, 0},
        {f->tables.last_name, 0x7f},
        {f->tables.markers + 4, 0xff},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lies); i++) {
        unsigned char before = f->tables.bytes[lies[i].at];
        f->tables.bytes[lies[i].at] = lies[i].byte;
        write_tables(f);
        if (before == lies[i].byte)
            fail_msg("lie %zu is none", i);
        if (read_symbols(f) == 0)
            fail_msg("lie %zu is believed", i);
        assert_int_equal(f->err.kind, MEMCTX_RETRY);
        f->tables.bytes[lies[i].at] = before;
    }
    write_tables(f);
    assert_done(read_symbols(f), &f->err);
    snprintf(f->note, sizeof(f->note), "OSRELEASE=5.10.0\n");
    assert_failed(read_symbols(f), &f->err, MEMCTX_PERMANENT);
}

/* At the very beginning of what is mapped there is nothing below them. */
static void
test_tables_at_the_edge(void **state)
{
    struct fixture *f = *state;
    make_tables(f);
    guestimg_write(&f->img, f->built.text_gpa,
                   f->tables.bytes + f->tables.token_table,
                   f->tables.used - f->tables.token_table);
    assert_failed(read_symbols(f), &f->err, MEMCTX_RETRY);
}

static void
test_work_runs_out(void **state)
{
    struct fixture *f = *state;
    make_tables(f);
    write_tables(f);
    for (uint64_t steps = 1; steps < 3000; steps = 2 * steps + 1) {
        memctx_target_init(&f->target, f->map, &f->kernel, f->note,
                           strlen(f->note));
        memctx_work_begin(&f->work, steps, NULL, NULL);
        assert_failed(memctx_symbols_read(&f->target, &f->symbols, &f->err),
                      &f->err, MEMCTX_RETRY);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_tables_that_are_named),
        T(test_symbols_of_a_cpu),
        T(test_names_that_no_terminal_should_see),
        T(test_kernel_without_stext),
        T(test_finding_one),
        T(test_those_that_are_asked_for),
        T(test_asking_a_kernel_without_stext),
        T(test_some_that_are_missing),
        T(test_tables_that_are_found),
        T(test_tables_that_are_not_found),
        T(test_tables_at_the_edge),
        T(test_work_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
