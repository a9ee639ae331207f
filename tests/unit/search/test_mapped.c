/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a kernel maps of RAM that only one of two layouts has. */
#include "unit.h"

#include "guestimg.h"
#include "search/mapped.h"

#define RAM (512 * MEMCTX_MIB)
#define LOW (256 * MEMCTX_MIB)
#define ABOVE (4 * MEMCTX_GIB)
#define TIB (1024 * MEMCTX_GIB)
#define ROOT (2 * MEMCTX_MIB)
#define LARGE (2 * MEMCTX_MIB)
#define DIRECT_MAP UINT64_C(0xffff888000000000)
#define RW (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *right;
    struct memctx_rammap *wrong;
    struct memctx_kernel kernel;
};

static const struct guestimg_space four = {ROOT, 4};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct memctx_extent low = {0, LOW, 0, 0};
    const struct memctx_extent high = {TIB, RAM - LOW, LOW, 0};
    guestimg_init(&f->img, RAM, LOW);
    f->right = guestimg_rammap(&f->img, NULL);
    assert_done(memctx_rammap_create_beside(f->right, &f->wrong, &err), &err);
    assert_done(memctx_rammap_add_extent(f->wrong, &low, &err), &err);
    assert_done(memctx_rammap_add_extent(f->wrong, &high, &err), &err);
    f->kernel.paging = MEMCTX_PAGING_X86_64_4LEVEL;
    f->kernel.kcr3 = ROOT;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->right);
    memctx_rammap_destroy(f->wrong);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static void
map(struct fixture *f, uint64_t gva, uint64_t gpa, uint64_t size)
{
    guestimg_map_range(&f->img, &four, gva, gpa, size, LARGE, RW);
}

static void
assert_mapped(const struct fixture *f, uint64_t right, uint64_t wrong)
{
    assert_int_equal(memctx_mapped_only_in(f->right, f->wrong, &f->kernel),
                     right);
    assert_int_equal(memctx_mapped_only_in(f->wrong, f->right, &f->kernel),
                     wrong);
}

static void
test_nothing_is_mapped(void **state)
{
    assert_mapped(*state, 0, 0);
}

static void
test_root_outside_ram(void **state)
{
    struct fixture *f = *state;
    f->kernel.kcr3 = 16 * MEMCTX_GIB;
    assert_mapped(f, 0, 0);
}

static void
test_ram_that_both_have_does_not_count(void **state)
{
    struct fixture *f = *state;
    map(f, DIRECT_MAP, 0, LOW);
    assert_mapped(f, 0, 0);
}

static void
test_ram_of_one_counts_for_it(void **state)
{
    struct fixture *f = *state;
    map(f, DIRECT_MAP + ABOVE, ABOVE, 16 * MEMCTX_MIB);
    assert_mapped(f, 16 * MEMCTX_MIB, 0);
}

static void
test_what_is_no_ram_does_not_count(void **state)
{
    struct fixture *f = *state;
    map(f, DIRECT_MAP, ABOVE + RAM, 16 * MEMCTX_MIB);
    map(f, DIRECT_MAP + RAM, TIB + RAM, 16 * MEMCTX_MIB);
    assert_mapped(f, 0, 0);
}

static void
test_user_space_does_not_count(void **state)
{
    struct fixture *f = *state;
    map(f, MEMCTX_GIB, ABOVE, 16 * MEMCTX_MIB);
    assert_mapped(f, 0, 0);
}

static void
test_device_where_the_other_has_ram(void **state)
{
    struct fixture *f = *state;
    map(f, DIRECT_MAP, ABOVE, RAM - LOW);
    map(f, UINT64_C(0xffffc90000000000), TIB, LARGE);
    assert_mapped(f, MEMCTX_MAPPED_ENOUGH, LARGE);
    assert_true(memctx_mapped_decides(MEMCTX_MAPPED_ENOUGH, LARGE));
    assert_false(memctx_mapped_decides(LARGE, MEMCTX_MAPPED_ENOUGH));
}

static void
test_five_levels(void **state)
{
    struct fixture *f = *state;
    const struct guestimg_space five = {ROOT, 5};
    f->kernel.paging = MEMCTX_PAGING_X86_64_5LEVEL;
    guestimg_map_range(&f->img, &five, UINT64_C(0xff11000000000000), ABOVE,
                       16 * MEMCTX_MIB, LARGE, RW);
    assert_mapped(f, 16 * MEMCTX_MIB, 0);
}

/* Every entry of every table leads back to the root: it ends all the same. */
static void
test_tables_that_lead_to_themselves(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 512; i++)
        guestimg_write_le64(&f->img, ROOT + 8 * i, ROOT | RW);
    assert_mapped(f, 0, 0);
}

static void
test_little_tells_nothing(void **state)
{
    (void)state;
    assert_false(memctx_mapped_decides(0, 0));
    assert_false(memctx_mapped_decides(LARGE, 0));
    assert_true(memctx_mapped_decides(4 * MEMCTX_MIB, 0));
    assert_false(memctx_mapped_decides(15 * LARGE, LARGE));
    assert_true(memctx_mapped_decides(16 * LARGE, LARGE));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_nothing_is_mapped),
        T(test_root_outside_ram),
        T(test_ram_that_both_have_does_not_count),
        T(test_ram_of_one_counts_for_it),
        T(test_what_is_no_ram_does_not_count),
        T(test_user_space_does_not_count),
        T(test_device_where_the_other_has_ram),
        T(test_five_levels),
        T(test_tables_that_lead_to_themselves),
        T(test_little_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
