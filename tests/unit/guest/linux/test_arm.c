/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From VMCOREINFO of an aarch64 kernel to the table that TTBR1_EL1 points at,
 * and to its clock. */
#include "unit.h"

#include "armimg.h"
#include "guest/guest.h"
#include "search/search.h"

#define RAM (64 * MEMCTX_MIB)
#define BOOT (UINT64_C(0x100000000) - 300 * 250)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct armimg_kernel want;
    struct memctx_session session;
    struct memctx_kernel found;
    struct memctx_clocks clocks;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init_at(&f->img, RAM, MEMCTX_GIB);
    f->want = armimg_kernel();
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

static void
build(struct fixture *f)
{
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    guestimg_init_at(&f->img, RAM, MEMCTX_GIB);
    armimg_add_kernel(&f->img, &f->want);
    f->map = guestimg_rammap(&f->img, NULL);
}

static int
verify(struct fixture *f)
{
    f->session = (struct memctx_session){.map = f->map};
    return memctx_linux_ops.verify(&f->session, f->want.note_gpa, &f->found,
                                   &f->err);
}

static void
accept(struct fixture *f, const char *paging)
{
    build(f);
    assert_done(verify(f), &f->err);
    assert_string_equal(memctx_paging_name(f->found.paging), paging);
    assert_int_equal(f->found.kcr3, f->want.root_gpa);
    assert_int_equal(f->found.base_gva, f->want.text_gva);
    assert_string_equal(f->found.version, f->want.release);
    assert_string_equal(f->found.checks, "self-map,text,uts");
    assert_string_equal(f->found.identity,
                        "aa1baf2841c8b47296c91289f85df12f6c8b8bf2");
    assert_true(f->found.linux_facts.has_kimage_voffset);
    assert_int_equal(f->found.linux_facts.kimage_voffset,
                     f->want.text_gva - f->want.text_gpa);
    assert_false(f->found.linux_facts.has_phys_base);
    assert_int_equal(f->session.ram_gpa, 0);
}

static void
refuse(struct fixture *f, const char *words)
{
    build(f);
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

static void
test_kernels_of_every_format(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *paging;
        unsigned granule_shift;
        unsigned va_bits;
        unsigned config_va_bits;
    } rows[] = {
        {"aarch64-4k-39", 12, 39, 39},  {"aarch64-4k-48", 12, 48, 48},
        {"aarch64-4k-52", 12, 52, 52},  {"aarch64-4k-48", 12, 48, 52},
        {"aarch64-16k-36", 14, 36, 36}, {"aarch64-16k-47", 14, 47, 47},
        {"aarch64-16k-47", 14, 47, 52}, {"aarch64-16k-48", 14, 48, 48},
        {"aarch64-16k-52", 14, 52, 52}, {"aarch64-64k-42", 16, 42, 42},
        {"aarch64-64k-48", 16, 48, 48}, {"aarch64-64k-52", 16, 52, 52},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        uint64_t range = UINT64_C(1) << rows[i].va_bits;
        f->want.granule_shift = rows[i].granule_shift;
        f->want.va_bits = rows[i].va_bits;
        f->want.config_va_bits = rows[i].config_va_bits;
        f->want.text_gva = -range + (UINT64_C(0x2a84bd400000) & (range - 1));
        accept(f, rows[i].paging);
    }
}

/* 64 KiB pages and 52 bits configured, on a processor with 48: TTBR1_EL1 points
 * into swapper_pg_dir. Also of kernels that tell no TCR_EL1. */
static void
test_root_within_swapper(void **state)
{
    struct fixture *f = *state;
    static const char *const t1sz[] = {"NUMBER(TCR_EL1_T1SZ)",
                                       "NUMBER(tcr_el1_t1sz)", NULL};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(t1sz); i++) {
        f->want.granule_shift = 16;
        f->want.config_va_bits = 52;
        f->want.upper_48 = true;
        f->want.t1sz = t1sz[i];
        accept(f, "aarch64-64k-48");
    }
    assert_int_equal(f->want.root_gpa, f->want.swapper_gpa + 0x1e00);
}

static void
test_kernel_that_tells_no_tcr(void **state)
{
    struct fixture *f = *state;
    f->want.t1sz = NULL;
    accept(f, "aarch64-4k-48");
    f->want.granule_shift = 16;
    f->want.va_bits = f->want.config_va_bits = 52;
    f->want.text_gva = UINT64_C(0xfff2aa84bd400000);
    accept(f, "aarch64-64k-52");
}

static void
test_missing_lines(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *words;
    } rows[] = {
        {"SYMBOL(swapper_pg_dir)", "has no SYMBOL(swapper_pg_dir)"},
        {"SYMBOL(_stext)", "has no SYMBOL(_stext)"},
        {"SYMBOL(init_uts_ns)", "has no SYMBOL(init_uts_ns)"},
        {"PAGESIZE", "are no paging of Linux"},
        /* then it is taken for x86-64 */
        {"NUMBER(kimage_voffset)", "has no NUMBER(phys_base)"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        f->want.without = rows[i].line;
        refuse(f, rows[i].words);
    }
    f->want.without = "NUMBER(VA_BITS)";
    f->want.t1sz = NULL;
    refuse(f, "are no paging of Linux");
}

static void
test_lies(void **state)
{
    struct fixture *f = *state;
    f->want.lie = MEMCTX_MIB;
    refuse(f, "check self-map");
    f->want.lie = 128 * MEMCTX_MIB;
    refuse(f, "is no page of RAM");
    f->want.lie = 8;
    refuse(f, "is no page of RAM");
    f->want.lie = 0;
    f->want.uts_release = "6.1.0-50-cloud-arm64+";
    refuse(f, "does not hold release");
    f->want.uts_release = NULL;
    f->want.text_flags |= ARMIMG_PXN;
    refuse(f, "_stext is not mapped as kernel code");
    f->want.text_flags = ARMIMG_EL0;
    refuse(f, "_stext is not mapped as kernel code");
}

/* A copy of the root elsewhere in RAM does not lead to itself. */
static void
test_copy_of_the_root(void **state)
{
    struct fixture *f = *state;
    f->want.lie = MEMCTX_MIB;
    build(f);
    for (uint64_t at = 0; at < MEMCTX_PAGE_SIZE; at += 8)
        guestimg_write_le64(&f->img, f->want.root_gpa - MEMCTX_MIB + at,
                            guestimg_read_le64(&f->img, f->want.root_gpa + at));
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "arithmetic gives");
}

/* Tables that a reset has cleared, the note still there. */
static void
test_root_of_zeros(void **state)
{
    struct fixture *f = *state;
    build(f);
    guestimg_punch(&f->img, f->want.swapper_gpa, MEMCTX_PAGE_SIZE);
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "is not mapped");
}

/* A raw file does not tell where RAM begins: taken to be at 0, the kernel says
 * better. */
static void
test_ram_that_begins_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct memctx_search *search;
    struct memctx_search_result result;
    const struct memctx_search_request all = {.all = true};
    build(f);
    assert_done(memctx_search_create(&search, &f->err), &f->err);
    assert_done(memctx_search_try(search, f->map, &all, &result, &f->err),
                &f->err);
    assert_int_equal(result.ram_gpa, 0);
    assert_int_equal(result.kernels[0].kcr3, f->want.root_gpa);
    memctx_search_destroy(search);

    memctx_rammap_destroy(f->map);
    f->img.base_gpa = 0;
    f->map = guestimg_rammap(&f->img, NULL);
    assert_done(memctx_search_create(&search, &f->err), &f->err);
    assert_int_equal(memctx_search_try(search, f->map, &all, &result, &f->err),
                     -1);
    assert_int_equal(result.ram_gpa, MEMCTX_GIB);
    memctx_search_destroy(search);
}

/* Without a symbol table: only aligned words between the root and
 * init_uts_ns. */
static void
test_clock_by_its_value(void **state)
{
    struct fixture *f = *state;
    build(f);
    assert_done(verify(f), &f->err);
    guestimg_write_le64(&f->img, f->want.jiffies_gpa, BOOT + 1000);
    guestimg_write_le64(&f->img, f->want.jiffies_gpa + 8, BOOT);
    guestimg_write_le64(&f->img, f->want.swapper_gpa - 64 * MEMCTX_KIB, BOOT);
    guestimg_write_le64(&f->img, f->want.uts_gpa + MEMCTX_MIB, BOOT);
    assert_done(memctx_linux_ops.clocks(f->map, &f->found, &f->clocks, &f->err),
                &f->err);
    assert_int_equal(f->clocks.n, 1);
    assert_int_equal(f->clocks.clock[0].gpa, f->want.jiffies_gpa);
    assert_int_equal(f->clocks.clock[0].value, BOOT + 1000);
    assert_true(f->clocks.least < BOOT);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_kernels_of_every_format),
        T(test_root_within_swapper),
        T(test_kernel_that_tells_no_tcr),
        T(test_missing_lines),
        T(test_lies),
        T(test_copy_of_the_root),
        T(test_root_of_zeros),
        T(test_ram_that_begins_elsewhere),
        T(test_clock_by_its_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
