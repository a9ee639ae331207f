/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Walks through aarch64 tables: every granule and size of addresses. */
#include "unit.h"

#include "armimg.h"
#include "paging/iterator.h"

#define RAM (32 * MEMCTX_MIB)
#define BASE MEMCTX_GIB
#define ROOT (BASE + 16 * MEMCTX_MIB)
#define FAR (UINT64_C(1) << 51)

/* What Linux can be configured for, and what Windows has (4k-47); and from
 * which level on (1: the last) an entry may be a block. */
static const struct row {
    const char *name;
    unsigned granule_shift;
    unsigned va_bits;
    int levels;
    unsigned blocks; /* bit n: at level n */
    bool far;        /* 52 bits of address */
} rows[] = {
    {"aarch64-4k-39", 12, 39, 3, 1 << 2 | 1 << 3, false},
    {"aarch64-4k-47", 12, 47, 4, 1 << 2 | 1 << 3, false},
    {"aarch64-4k-48", 12, 48, 4, 1 << 2 | 1 << 3, false},
    {"aarch64-4k-52", 12, 52, 5, 1 << 2 | 1 << 3 | 1 << 4, true},
    {"aarch64-16k-36", 14, 36, 2, 1 << 2, false},
    {"aarch64-16k-47", 14, 47, 3, 1 << 2, false},
    {"aarch64-16k-48", 14, 48, 4, 1 << 2, false},
    {"aarch64-16k-52", 14, 52, 4, 1 << 2 | 1 << 3, true},
    {"aarch64-64k-42", 16, 42, 2, 1 << 2, true},
    {"aarch64-64k-48", 16, 48, 3, 1 << 2 | 1 << 3, true},
    {"aarch64-64k-52", 16, 52, 3, 1 << 2 | 1 << 3, true},
};

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_error err;
    struct memctx_walk walk;
    /* of the row under test */
    const struct row *row;
    struct armimg_space space;
    enum memctx_paging paging;
};

static int
setup(void **state)
{
    *state = test_calloc(1, sizeof(struct fixture));
    return 0;
}

static int
teardown(void **state)
{
    test_free(*state);
    return 0;
}

static void
begin(struct fixture *f, const struct row *row, uint64_t base)
{
    guestimg_init_at(&f->img, RAM, base);
    f->map = guestimg_rammap(&f->img, NULL);
    f->row = row;
    f->space = (struct armimg_space){base + (ROOT - BASE), row->granule_shift,
                                     row->va_bits, 0};
    f->paging = memctx_paging_from_name(row->name);
    assert_int_not_equal(f->paging, MEMCTX_PAGING_UNKNOWN);
}

static void
end(struct fixture *f)
{
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
}

static void
walk(struct fixture *f, uint64_t gva)
{
    if (memctx_paging_walk(f->map, f->paging, f->space.root_gpa, gva, &f->walk,
                           &f->err) < 0)
        print_error("%s\n", f->row->name);
    assert_done(memctx_paging_walk(f->map, f->paging, f->space.root_gpa, gva,
                                   &f->walk, &f->err),
                &f->err);
}

static void
refuse(struct fixture *f, uint64_t gva, const char *words)
{
    assert_int_equal(memctx_paging_walk(f->map, f->paging, f->space.root_gpa,
                                        gva, &f->walk, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

/* An address whose every level has another index; the lowest that has bits
 * above those translated. */
static uint64_t
some_gva(const struct fixture *f)
{
    uint64_t range = UINT64_C(1) << f->row->va_bits;
    return -range + (UINT64_C(0x000a9b4c5d6e7f12) & (range - 1));
}

#define FOR_EACH_ROW(f)                                                  \
    for (size_t row_ = 0; row_ < MEMCTX_ARRAY_LEN(rows); row_++, end(f)) \
        if (begin(f, &rows[row_], BASE), true)

static void
test_names_and_sizes(void **state)
{
    (void)state;
    static const uint64_t root_sizes[] = {4096, 2048, 4096,  128, 16384, 16384,
                                          16,   256,  65536, 512, 8192};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        enum memctx_paging paging = memctx_paging_aarch64(
            UINT64_C(1) << rows[i].granule_shift, rows[i].va_bits);
        assert_string_equal(memctx_paging_name(paging), rows[i].name);
        assert_int_equal(memctx_paging_from_name(rows[i].name), paging);
        assert_int_equal(memctx_paging_root_size(paging), root_sizes[i]);
    }
    assert_int_equal(memctx_paging_aarch64(4096, 46), MEMCTX_PAGING_UNKNOWN);
    assert_int_equal(memctx_paging_aarch64(8192, 48), MEMCTX_PAGING_UNKNOWN);
    assert_int_equal(memctx_paging_aarch64(0, 0), MEMCTX_PAGING_UNKNOWN);
    assert_int_equal(memctx_paging_aarch64(4096, UINT64_MAX),
                     MEMCTX_PAGING_UNKNOWN);
}

static void
test_page_of_each_format(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_ROW(f)
    {
        uint64_t granule = UINT64_C(1) << f->row->granule_shift;
        uint64_t gva = some_gva(f);
        assert_int_equal(armimg_levels(&f->space), f->row->levels);
        refuse(f, gva, "is not mapped");
        armimg_map(&f->img, &f->space, gva, 0x7654320000 + BASE, 1,
                   ARMIMG_CONT | ARMIMG_AF);
        walk(f, gva);
        assert_int_equal(f->walk.page_size, granule);
        assert_int_equal(f->walk.gpa,
                         (0x7654320000 + BASE) | (gva & (granule - 1)));
        assert_true(f->walk.writable && f->walk.executable && !f->walk.user);
        walk(f, gva - gva % granule + granule - 1);
        refuse(f, gva - gva % granule + granule, "is not mapped");
    }
}

static void
test_blocks_where_there_may_be_any(void **state)
{
    struct fixture *f = *state;
    for (int n = 2; n <= 5; n++) {
        FOR_EACH_ROW(f)
        {
            uint64_t gva = some_gva(f);
            if (n > f->row->levels)
                continue;
            uint64_t span = armimg_span(&f->space, n);
            armimg_map(&f->img, &f->space, gva, span, n, ARMIMG_AF);
            if ((f->row->blocks >> n & 1) == 0) {
                refuse(f, gva, "reserved bits");
                continue;
            }
            walk(f, gva);
            assert_int_equal(f->walk.page_size, span);
            assert_int_equal(f->walk.gpa, span | (gva & (span - 1)));
        }
    }
}

static void
test_addresses_of_the_lower_half(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_ROW(f)
    {
        uint64_t first = -(UINT64_C(1) << f->row->va_bits);
        armimg_map(&f->img, &f->space, first, BASE, 1, ARMIMG_AF);
        walk(f, first);
        refuse(f, first & ((UINT64_C(1) << 52) - 1), "not canonical");
        refuse(f, first - 1, "not canonical");
        refuse(f, first & ~(UINT64_C(1) << 63), "not canonical");
        refuse(f, 0, "not canonical");
    }
}

/* Pages and tables whose addresses need 52 bits, where they may; bits that are
 * no address else. */
static void
test_far_addresses(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        if (!rows[i].far)
            continue;
        begin(f, &rows[i], FAR);
        uint64_t gva = some_gva(f);
        uint64_t far = UINT64_C(0xedcba98760000);
        armimg_map(&f->img, &f->space, gva, far, 1, ARMIMG_AF);
        walk(f, gva);
        assert_int_equal(f->walk.gpa & ~UINT64_C(0xffff), far);
        end(f);
    }
    FOR_EACH_ROW(f)
    {
        uint64_t gva = some_gva(f);
        for (int n = f->row->far ? 9 : 1; n <= f->row->levels; n++) {
            armimg_map(&f->img, &f->space, gva, BASE, 1, ARMIMG_AF);
            uint64_t at = armimg_entry(&f->img, &f->space, gva, n);
            uint64_t entry = guestimg_read_le64(&f->img, at);
            guestimg_write_le64(&f->img, at, entry | UINT64_C(1) << 48);
            refuse(f, gva, "reserved bits");
            guestimg_write_le64(&f->img, at, entry | UINT64_C(1) << 8);
            walk(f, gva);
            guestimg_write_le64(&f->img, at, entry);
        }
    }
}

static void
test_last_level_has_no_blocks(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_ROW(f)
    {
        uint64_t gva = some_gva(f);
        guestimg_write_le64(&f->img, armimg_entry(&f->img, &f->space, gva, 1),
                            BASE | ARMIMG_VALID);
        refuse(f, gva, "reserved bits");
        guestimg_write_le64(&f->img, armimg_entry(&f->img, &f->space, gva, 1),
                            BASE | ARMIMG_TABLE);
        refuse(f, gva, "is not mapped");
    }
}

static void
test_rights_of_pages_and_of_tables(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t page;
        uint64_t table;
        bool write;
        bool user;
        bool execute;
    } cases[] = {
        {0, 0, true, false, true},
        {ARMIMG_RDONLY, 0, false, false, true},
        {ARMIMG_PXN, 0, true, false, false},
        {ARMIMG_UXN, 0, true, false, true},
        {ARMIMG_EL0, 0, true, true, true},
        {ARMIMG_EL0, UINT64_C(1) << 61, true, false, true},
        {0, UINT64_C(1) << 62, false, false, true},
        {0, UINT64_C(1) << 59, true, false, false},
        {0, UINT64_C(1) << 60, true, false, true},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(cases); i++) {
        FOR_EACH_ROW(f)
        {
            uint64_t gva = some_gva(f);
            f->space.table_flags = cases[i].table;
            armimg_map(&f->img, &f->space, gva, BASE, 1, cases[i].page);
            walk(f, gva);
            assert_int_equal(f->walk.writable, cases[i].write);
            assert_int_equal(f->walk.user, cases[i].user);
            assert_int_equal(f->walk.executable, cases[i].execute);
        }
    }
}

static void
test_table_outside_ram(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_ROW(f)
    {
        uint64_t gva = some_gva(f);
        guestimg_write_le64(
            &f->img, armimg_entry(&f->img, &f->space, gva, f->row->levels),
            (BASE + RAM) | ARMIMG_VALID | ARMIMG_TABLE);
        refuse(f, gva, "is not RAM");
    }
}

/* 64 KiB and more, pages far from each other. */
static void
test_read_across_pages(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_ROW(f)
    {
        uint64_t granule = UINT64_C(1) << f->row->granule_shift;
        uint64_t gva = some_gva(f) & -granule;
        unsigned char bytes[16];
        armimg_map(&f->img, &f->space, gva, BASE, 1, 0);
        armimg_map(&f->img, &f->space, gva + granule, BASE + 5 * granule, 1, 0);
        guestimg_write(&f->img, BASE + granule - 8, "01234567", 8);
        guestimg_write(&f->img, BASE + 5 * granule, "89abcdef", 8);
        assert_done(memctx_paging_read(f->map, f->paging, f->space.root_gpa,
                                       gva + granule - 8, bytes, 16, &f->err),
                    &f->err);
        assert_memory_equal(bytes, "0123456789abcdef", 16);
        assert_int_equal(
            memctx_paging_read(f->map, f->paging, f->space.root_gpa,
                               gva + 2 * granule - 8, bytes, 16, &f->err),
            -1);
    }
}

/* Tables are larger than what a pages keeps of one. */
static void
test_tour_of_each_format(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_ROW(f)
    {
        uint64_t granule = UINT64_C(1) << f->row->granule_shift;
        uint64_t first = some_gva(f) & -armimg_span(&f->space, 2);
        uint64_t last = armimg_span(&f->space, 2) - granule;
        struct memctx_iterator pages;
        struct memctx_mapped_page mapping;
        armimg_map(&f->img, &f->space, first, BASE, 1, 0);
        armimg_map(&f->img, &f->space, first + last, BASE + granule, 1, 0);
        memctx_iterator_init(&pages, f->map, f->paging, f->space.root_gpa,
                             -(UINT64_C(1) << f->row->va_bits), UINT64_MAX);
        assert_true(memctx_iterator_next(&pages, &mapping));
        assert_int_equal(mapping.gva, first);
        assert_int_equal(mapping.gpa, BASE);
        assert_int_equal(mapping.size, granule);
        assert_true(memctx_iterator_next(&pages, &mapping));
        assert_int_equal(mapping.gva, first + last);
        assert_int_equal(mapping.gpa, BASE + granule);
        assert_false(memctx_iterator_next(&pages, &mapping));
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_names_and_sizes),
        T(test_page_of_each_format),
        T(test_blocks_where_there_may_be_any),
        T(test_addresses_of_the_lower_half),
        T(test_far_addresses),
        T(test_last_level_has_no_blocks),
        T(test_rights_of_pages_and_of_tables),
        T(test_table_outside_ram),
        T(test_read_across_pages),
        T(test_tour_of_each_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
