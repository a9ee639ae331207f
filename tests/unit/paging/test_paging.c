/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Walks through page tables that a guest may have written as it likes. */
#include "unit.h"

#include "guestimg.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (64 * MEMCTX_MIB)
#define ROOT (2 * MEMCTX_MIB)
#define GVA UINT64_C(0xffff888012345678)
#define GVA_PAGE (GVA & ~UINT64_C(0xfff))
#define P MEMCTX_PTE_PRESENT
#define W MEMCTX_PTE_WRITE
#define U MEMCTX_PTE_USER

#define FOUR MEMCTX_PAGING_X86_64_4LEVEL
#define FIVE MEMCTX_PAGING_X86_64_5LEVEL

#define PAE MEMCTX_PAGING_X86_PAE
#define OLD MEMCTX_PAGING_X86_2LEVEL
#define GVA32 UINT64_C(0x81e45678)
#define GVA32_PAGE (GVA32 & ~UINT64_C(0xfff))

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_error err;
    struct memctx_walk walk;
};

static const struct guestimg_space four = {ROOT, 4};
static const struct guestimg_space five = {ROOT, 5};
static const struct guestimg_space pae = {ROOT, 3};
static const struct guestimg_space old = {ROOT, 2};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->map = guestimg_rammap(&f->img, NULL);
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
walk(struct fixture *f, enum memctx_paging paging, uint64_t gva)
{
    assert_done(
        memctx_paging_walk(f->map, paging, ROOT, gva, &f->walk, &f->err),
        &f->err);
}

static void
refuse(struct fixture *f, enum memctx_paging paging, uint64_t gva,
       const char *words)
{
    struct memctx_walk untouched = {.gpa = 77};
    assert_int_equal(
        memctx_paging_walk(f->map, paging, ROOT, gva, &untouched, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
    assert_int_equal(untouched.gpa, 77);
}

/* The entry of GVA at `level`, when the levels above lead there in order. */
static uint64_t
entry_of(struct fixture *f, int levels, int level)
{
    uint64_t table = ROOT;
    uint64_t at = 0;
    for (int l = levels; l >= level; l--) {
        at = table + (GVA >> (12 + 9 * (l - 1)) & 0x1ff) * 8;
        table = guestimg_read_le64(&f->img, at) & MEMCTX_PTE_FRAME;
    }
    return at;
}

static void
test_small_page(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, GVA_PAGE, 0x777000, PAGE, P);
    walk(f, FOUR, GVA);
    assert_int_equal(f->walk.gpa, 0x777678);
    assert_int_equal(f->walk.page_size, PAGE);
    assert_false(f->walk.writable);
    assert_false(f->walk.user);
    assert_true(f->walk.executable);
}

static void
test_large_page(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, GVA, 0x1c00000, 2 * MEMCTX_MIB, P | W);
    walk(f, FOUR, GVA);
    assert_int_equal(f->walk.gpa, 0x1d45678);
    assert_int_equal(f->walk.page_size, 2 * MEMCTX_MIB);
    assert_true(f->walk.writable);
}

static void
test_huge_page(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, GVA, UINT64_C(0x7c0000000), MEMCTX_GIB, P);
    walk(f, FOUR, GVA);
    assert_int_equal(f->walk.gpa, UINT64_C(0x7d2345678));
    assert_int_equal(f->walk.page_size, MEMCTX_GIB);
}

static void
test_five_levels(void **state)
{
    struct fixture *f = *state;
    const uint64_t gva = UINT64_C(0xff11000012345000);
    guestimg_map(&f->img, &five, gva, 0x777000, PAGE, P);
    walk(f, FIVE, gva + 8);
    assert_int_equal(f->walk.gpa, 0x777008);
    /* The same tables, read with a level less, lead elsewhere. */
    refuse(f, FOUR, GVA, "is not mapped");
}

/* SDM table 4-18: bit 12 of a large page's entry is PAT, not address. */
static void
test_pat_bit_is_no_address(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, GVA, 0x1c01000, 2 * MEMCTX_MIB, P);
    walk(f, FOUR, GVA);
    assert_int_equal(f->walk.gpa, 0x1d45678);
}

static void
test_ignored_high_bits_are_no_address(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, GVA_PAGE, 0x777000, PAGE,
                 P | UINT64_C(0x7ff0000000000000));
    walk(f, FOUR, GVA);
    assert_int_equal(f->walk.gpa, 0x777678);
}

static void
test_rights_are_those_of_all_levels(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, GVA_PAGE, 0x777000, PAGE, P | W | U);
    walk(f, FOUR, GVA);
    assert_true(f->walk.writable);
    assert_true(f->walk.user);
    assert_true(f->walk.executable);

    uint64_t at = entry_of(f, 4, 3);
    uint64_t entry = guestimg_read_le64(&f->img, at);
    guestimg_write_le64(&f->img, at, (entry & ~(W | U)) | MEMCTX_PTE_NX);
    walk(f, FOUR, GVA);
    assert_false(f->walk.writable);
    assert_false(f->walk.user);
    assert_false(f->walk.executable);
}

static void
test_absent_entry_names_its_level(void **state)
{
    struct fixture *f = *state;
    static const char *const words[] = {
        NULL,
        "0x776ffe at level 1",
        "0x776ffe at level 2",
        "0x776ffe at level 3",
        "0x776ffe at level 4",
        "0x776ffe at level 5",
    };
    guestimg_map(&f->img, &five, GVA, 0x777000, PAGE, P);
    for (int level = 1; level <= 5; level++) {
        guestimg_write_le64(&f->img, entry_of(f, 5, level), 0x776ffe);
        refuse(f, FIVE, GVA, words[level]);
    }
}

static void
test_gva_that_is_not_canonical(void **state)
{
    struct fixture *f = *state;
    refuse(f, FOUR, UINT64_C(0x0000800000000000), "not canonical");
    refuse(f, FOUR, UINT64_C(0xffff7fffffffffff), "not canonical");
    refuse(f, FOUR, UINT64_C(0xff11000000000000), "not canonical");
    refuse(f, FIVE, UINT64_C(0x0100000000000000), "not canonical");
    refuse(f, FIVE, UINT64_C(0xfeffffffffffffff), "not canonical");
    refuse(f, FOUR, UINT64_C(0x00007fffffffffff), "is not mapped");
    refuse(f, FIVE, UINT64_C(0x00ffffffffffffff), "is not mapped");
    refuse(f, FIVE, UINT64_C(0xff00000000000000), "is not mapped");
}

static void
test_large_bit_in_a_top_level(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, entry_of(f, 4, 4), P | MEMCTX_PTE_LARGE);
    refuse(f, FOUR, GVA, "reserved bits in entry 0x81 at level 4");
    guestimg_write_le64(&f->img, entry_of(f, 5, 5), P | MEMCTX_PTE_LARGE);
    refuse(f, FIVE, GVA, "reserved bits in entry 0x81 at level 5");
}

static void
test_large_page_that_is_not_aligned(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, GVA, 0x1c02000, 2 * MEMCTX_MIB, P);
    refuse(f, FOUR, GVA, "reserved bits in entry 0x1c02081 at level 2");
    guestimg_write_le64(&f->img, entry_of(f, 4, 3),
                        0x40200000 | P | MEMCTX_PTE_LARGE);
    refuse(f, FOUR, GVA, "reserved bits in entry 0x40200081 at level 3");
}

static void
test_table_outside_ram(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, entry_of(f, 4, 4), RAM | P);
    refuse(f, FOUR, GVA, "level 3 table of gva");
    refuse(f, FOUR, GVA, "is not RAM");
    guestimg_write_le64(&f->img, entry_of(f, 4, 4), MEMCTX_PTE_FRAME | P);
    refuse(f, FOUR, GVA, "is not RAM");
}

/* A table that is its own next table ends like any other. */
static void
test_table_that_leads_to_itself(void **state)
{
    struct fixture *f = *state;
    for (uint64_t at = 0; at < PAGE; at += 8)
        guestimg_write_le64(&f->img, ROOT + at, ROOT | P);
    walk(f, FOUR, GVA);
    assert_int_equal(f->walk.gpa, ROOT + (GVA & 0xfff));
    walk(f, FIVE, GVA);
    assert_int_equal(f->walk.gpa, ROOT + (GVA & 0xfff));
}

static void
test_page_outside_ram_is_walked_but_not_read(void **state)
{
    struct fixture *f = *state;
    char byte;
    guestimg_map(&f->img, &four, GVA_PAGE, UINT64_C(0xfee00000), PAGE, P);
    walk(f, FOUR, GVA);
    assert_int_equal(f->walk.gpa, UINT64_C(0xfee00678));
    assert_int_equal(
        memctx_paging_read(f->map, FOUR, ROOT, GVA, &byte, 1, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "gpa 0xfee00678 is not RAM");
}

static void
test_truncated_backing_is_gone(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &four, GVA_PAGE, 0x777000, PAGE, P);
    guestimg_truncate(&f->img, ROOT);
    assert_int_equal(
        memctx_paging_walk(f->map, FOUR, ROOT, GVA, &f->walk, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "level 4 table of gva");
}

static void
test_read_crosses_pages(void **state)
{
    struct fixture *f = *state;
    char text[11] = "";
    guestimg_map(&f->img, &four, GVA_PAGE, 0x777000, PAGE, P);
    guestimg_map(&f->img, &four, GVA_PAGE + PAGE, 0x555000, PAGE, P);
    guestimg_write(&f->img, 0x777000 + PAGE - 5, "hello", 5);
    guestimg_write(&f->img, 0x555000, "world", 5);
    assert_done(memctx_paging_read(f->map, FOUR, ROOT, GVA_PAGE + PAGE - 5,
                                   text, 10, &f->err),
                &f->err);
    assert_string_equal(text, "helloworld");
}

/* Pages that follow one another in the guest's memory, and one that does not:
 * two reads. */
static void
test_pages_in_a_row_are_read_at_once(void **state)
{
    struct fixture *f = *state;
    struct memctx_rammap *counted =
        guestimg_rammap(&f->img, &guestimg_faulty_io);
    unsigned char bytes[9 * PAGE];
    for (uint64_t i = 0; i < 9; i++) {
        uint64_t gpa = i < 8 ? 0x700000 + i * PAGE : 0x600000;
        guestimg_map(&f->img, &four, GVA_PAGE + i * PAGE, gpa, PAGE, P);
        guestimg_write_le64(&f->img, gpa, i + 1);
    }
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    assert_done(memctx_paging_read_by(f->map, counted, FOUR, ROOT, GVA_PAGE,
                                      bytes, sizeof(bytes), &f->err),
                &f->err);
    assert_int_equal(guestimg_faults()->reads, 2);
    for (uint64_t i = 0; i < 9; i++)
        assert_int_equal(memctx_le64(bytes + i * PAGE), i + 1);
    assert_done(memctx_paging_read_by(f->map, counted, FOUR, ROOT, GVA_PAGE,
                                      bytes, 0, &f->err),
                &f->err);
    assert_int_equal(guestimg_faults()->reads, 2);
    memctx_rammap_destroy(counted);
}

static void
test_read_into_an_unmapped_page(void **state)
{
    struct fixture *f = *state;
    char bytes[2];
    guestimg_map(&f->img, &four, GVA_PAGE, 0x777000, PAGE, P);
    assert_int_equal(memctx_paging_read(f->map, FOUR, ROOT, GVA_PAGE + PAGE - 1,
                                        bytes, 2, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "gva 0xffff888012346000 is not mapped");
}

/* Behind the last byte of the kernel half the user half must not follow. */
static void
test_read_does_not_wrap_around(void **state)
{
    struct fixture *f = *state;
    const uint64_t last = UINT64_C(0xfffffffffffff000);
    char bytes[2];
    guestimg_map(&f->img, &four, last, 0x777000, PAGE, P);
    guestimg_map(&f->img, &four, 0, 0x555000, PAGE, P);
    assert_done(memctx_paging_read(f->map, FOUR, ROOT, last + PAGE - 1, bytes,
                                   1, &f->err),
                &f->err);
    assert_int_equal(memctx_paging_read(f->map, FOUR, ROOT, last + PAGE - 1,
                                        bytes, 2, &f->err),
                     -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
}

static void
test_pae_pages(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &pae, GVA32_PAGE, UINT64_C(0x1234777000), PAGE, P);
    walk(f, PAE, GVA32);
    assert_int_equal(f->walk.gpa, UINT64_C(0x1234777678));
    assert_int_equal(f->walk.page_size, PAGE);
    assert_false(f->walk.writable);
    assert_false(f->walk.user);
    guestimg_map(&f->img, &pae, 0xc0200000, 0x40201000, 2 * MEMCTX_MIB,
                 P | W | MEMCTX_PTE_NX);
    walk(f, PAE, 0xc0345678);
    assert_int_equal(f->walk.gpa, 0x40345678);
    assert_int_equal(f->walk.page_size, 2 * MEMCTX_MIB);
    assert_true(f->walk.writable);
    assert_false(f->walk.executable);
}

/* SDM 4.4.1: the root is 32 bytes, anywhere on a multiple of 32. */
static void
test_pae_root_within_a_page(void **state)
{
    struct fixture *f = *state;
    const struct guestimg_space space = {ROOT + 0xfe0, 3};
    assert_int_equal(memctx_paging_root_size(PAE), 32);
    guestimg_map(&f->img, &space, 0xfffff000, 0x777000, PAGE, P);
    assert_done(memctx_paging_walk(f->map, PAE, space.root_gpa, 0xffffffff,
                                   &f->walk, &f->err),
                &f->err);
    assert_int_equal(f->walk.gpa, 0x777fff);
}

static void
test_pae_reserved_bits(void **state)
{
    struct fixture *f = *state;
    const uint64_t root_at = ROOT + (GVA32 >> 30) * 8;
    static const uint64_t in_root[] = {
        W, U, 0x40, 0x100, MEMCTX_PTE_LARGE, UINT64_C(1) << 52, MEMCTX_PTE_NX};
    guestimg_map(&f->img, &pae, GVA32_PAGE, 0x777000, PAGE, P);
    uint64_t entry = guestimg_read_le64(&f->img, root_at);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(in_root); i++) {
        guestimg_write_le64(&f->img, root_at, entry | in_root[i]);
        refuse(f, PAE, GVA32, "at level 3");
    }
    guestimg_write_le64(&f->img, root_at, entry | 0xe38);
    walk(f, PAE, GVA32);
    guestimg_map(&f->img, &pae, GVA32_PAGE, UINT64_C(1) << 52 | 0x777000, PAGE,
                 P);
    refuse(f, PAE, GVA32, "reserved bits in entry 0x10000000777001 at level 1");
    guestimg_map(&f->img, &pae, 0xc0200000, 0x40202000, 2 * MEMCTX_MIB, P);
    refuse(f, PAE, 0xc0200000, "at level 2");
}

static void
test_two_level_pages(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &old, GVA32_PAGE, 0xfedcb000, PAGE, P | U);
    walk(f, OLD, GVA32);
    assert_int_equal(f->walk.gpa, 0xfedcb678);
    assert_int_equal(f->walk.page_size, PAGE);
    assert_true(f->walk.user);
    assert_true(f->walk.executable);
    guestimg_map(&f->img, &old, GVA32_PAGE + PAGE, 0x777000, PAGE, P | W);
    walk(f, OLD, GVA32 + PAGE);
    assert_int_equal(f->walk.gpa, 0x777678);
    walk(f, OLD, GVA32);
    assert_int_equal(f->walk.gpa, 0xfedcb678);
    assert_int_equal(memctx_paging_root_size(OLD), PAGE);
}

/* SDM table 4-4: bits 20:13 are bits 39:32 of the address, 12 is PAT. */
static void
test_two_level_large_page(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &old, 0x80400000, 0x40c00000, 4 * MEMCTX_MIB, P);
    walk(f, OLD, 0x80512345);
    assert_int_equal(f->walk.gpa, 0x40d12345);
    assert_int_equal(f->walk.page_size, 4 * MEMCTX_MIB);
    guestimg_map(&f->img, &old, 0x80400000, 0x40c00000 | 0x12 << 13 | 0x1000,
                 4 * MEMCTX_MIB, P);
    walk(f, OLD, 0x80512345);
    assert_int_equal(f->walk.gpa, UINT64_C(0x1240d12345));
    guestimg_map(&f->img, &old, 0x80400000, 0x40e00000, 4 * MEMCTX_MIB, P);
    refuse(f, OLD, 0x80400000, "reserved bits in entry 0x40e00081 at level 2");
}

/* A kernel address of 64 bits is none of 32, and is not cut to one. */
static void
test_gva_beyond_32_bits(void **state)
{
    struct fixture *f = *state;
    guestimg_map(&f->img, &pae, GVA32_PAGE, 0x777000, PAGE, P);
    refuse(f, PAE, GVA32 | UINT64_C(0xffffffff00000000), "not canonical");
    refuse(f, OLD, UINT64_C(1) << 32, "not canonical");
}

static void
test_names(void **state)
{
    (void)state;
    assert_string_equal(memctx_paging_name(FOUR), "x86_64-4level");
    assert_string_equal(memctx_paging_name(FIVE), "x86_64-5level");
    assert_null(memctx_paging_name(MEMCTX_PAGING_UNKNOWN));
    assert_null(memctx_paging_name(MEMCTX_PAGINGS));
    assert_int_equal(memctx_paging_from_name("x86_64-4level"), FOUR);
    assert_int_equal(memctx_paging_from_name("x86_64-5level"), FIVE);
    assert_int_equal(memctx_paging_from_name("x86-pae"), PAE);
    assert_int_equal(memctx_paging_from_name("x86-2level"), OLD);
    assert_int_equal(memctx_paging_from_name(""), MEMCTX_PAGING_UNKNOWN);
    assert_int_equal(memctx_paging_from_name("x86_64-4levels"),
                     MEMCTX_PAGING_UNKNOWN);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_small_page),
        T(test_large_page),
        T(test_huge_page),
        T(test_five_levels),
        T(test_pat_bit_is_no_address),
        T(test_ignored_high_bits_are_no_address),
        T(test_rights_are_those_of_all_levels),
        T(test_absent_entry_names_its_level),
        T(test_gva_that_is_not_canonical),
        T(test_large_bit_in_a_top_level),
        T(test_large_page_that_is_not_aligned),
        T(test_table_outside_ram),
        T(test_table_that_leads_to_itself),
        T(test_page_outside_ram_is_walked_but_not_read),
        T(test_truncated_backing_is_gone),
        T(test_read_crosses_pages),
        T(test_pages_in_a_row_are_read_at_once),
        T(test_read_into_an_unmapped_page),
        T(test_read_does_not_wrap_around),
        T(test_pae_pages),
        T(test_pae_root_within_a_page),
        T(test_pae_reserved_bits),
        T(test_two_level_pages),
        T(test_two_level_large_page),
        T(test_gva_beyond_32_bits),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
