/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where a kernel is looked for first; a hostile guest may waste these places,
 * but neither crash the guess nor make it cost more. */
#include "unit.h"

#include "guestimg.h"
#include "linux_places.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (128 * MEMCTX_MIB)
#define MAX 4

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct guestimg_kernel kernel;
    struct memctx_range places[MAX];
    size_t n;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    guestimg_init(&f->img, RAM, RAM);
    f->kernel = guestimg_kernel();
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
find_places(struct fixture *f)
{
    memctx_rammap_destroy(f->map);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    f->n = memctx_linux_places(f->map, f->places, MAX);
}

static bool
is_place(const struct fixture *f, uint64_t gpa)
{
    for (size_t i = 0; i < f->n; i++) {
        if (memctx_range_in(gpa, PAGE, f->places[i].gpa, f->places[i].size))
            return true;
    }
    return false;
}

static void
test_empty_ram_has_three_places(void **state)
{
    struct fixture *f = *state;
    find_places(f);
    assert_int_equal(f->n, 3);
    assert_true(is_place(f, 16 * MEMCTX_MIB));
    assert_true(is_place(f, 4 * MEMCTX_GIB));
    /* Below the page structs, 1/64 of RAM, at its end. */
    assert_true(is_place(f, RAM - RAM / 64 - PAGE));
    assert_false(is_place(f, RAM - RAM / 64));
}

static void
test_place_behind_the_image(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    find_places(f);
    assert_int_equal(f->n, 4);
    assert_int_equal(f->places[0].gpa, f->kernel.end_gpa - 2 * MEMCTX_MIB);
    assert_int_equal(f->places[0].size, 6 * MEMCTX_MIB);
}

static void
test_place_behind_the_image_with_five_levels(void **state)
{
    struct fixture *f = *state;
    f->kernel.levels = 5;
    guestimg_add_kernel(&f->img, &f->kernel);
    find_places(f);
    assert_int_equal(f->n, 4);
    assert_int_equal(f->places[0].gpa, f->kernel.end_gpa - 2 * MEMCTX_MIB);
}

static void
test_trampoline_on_any_page_below_640_kib(void **state)
{
    struct fixture *f = *state;
    static const uint64_t gpas[] = {PAGE, 2 * PAGE, 0x58000, 0x9f000};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(gpas); i++) {
        f->kernel.trampoline_gpa = gpas[i];
        guestimg_add_kernel(&f->img, &f->kernel);
        find_places(f);
        assert_int_equal(f->n, 4);
        guestimg_punch(&f->img, gpas[i], PAGE);
        find_places(f);
        assert_int_equal(f->n, 3);
    }
}

static void
test_trampoline_that_leads_nowhere(void **state)
{
    struct fixture *f = *state;
    static const uint64_t entries[] = {
        RAM | MEMCTX_PTE_PRESENT,
        MEMCTX_PTE_FRAME | MEMCTX_PTE_PRESENT,
        0x99000,
        0x98000 | MEMCTX_PTE_PRESENT,
        0x99000 | MEMCTX_PTE_PRESENT,
        0x99000 | MEMCTX_PTE_PRESENT | MEMCTX_PTE_LARGE,
        UINT64_MAX,
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(entries); i++) {
        guestimg_write_le64(&f->img, 0x99000 + 511 * 8, entries[i]);
        find_places(f);
        assert_int_equal(f->n, 3);
    }
}

static void
test_image_of_a_single_page_is_none(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    uint64_t level2 = f->kernel.root_gpa + 3 * PAGE;
    uint64_t first = f->kernel.text_gva >> 21 & 0x1ff;
    guestimg_write_le64(&f->img, level2 + (first + 1) * 8, 0);
    find_places(f);
    assert_int_equal(f->n, 3);
}

/* The frame of a page-table entry may say anything. */
static void
test_image_at_the_end_of_the_address_space(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    uint64_t level2 = f->kernel.root_gpa + 3 * PAGE;
    for (uint64_t i = 0; i < 512; i++)
        guestimg_write_le64(&f->img, level2 + i * 8, UINT64_MAX);
    find_places(f);
    assert_int_equal(f->n, 4);
    assert_true(f->places[0].gpa <
                UINT64_MAX - f->places[0].size); /* does not wrap */
}

/* About 700 KiB of reads, whatever stands in low memory. */
static void
test_low_memory_full_of_trampolines(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    uint64_t entry = guestimg_read_le64(&f->img, f->kernel.root_gpa + 511 * 8);
    guestimg_punch(&f->img, f->kernel.root_gpa + 3 * PAGE, PAGE);
    for (uint64_t gpa = 0; gpa < 0xa0000; gpa += PAGE)
        guestimg_write_le64(&f->img, gpa + 511 * 8, entry);
    guestimg_faults()->reads = 0;
    find_places(f);
    assert_int_equal(f->n, 3);
    assert_true(guestimg_faults()->reads < 160 * 6);
}

static void
test_ram_smaller_than_its_places(void **state)
{
    struct fixture *f = *state;
    f->img.size = f->img.low = PAGE;
    find_places(f);
    assert_int_equal(f->n, 3);
    assert_int_equal(f->places[0].gpa, 0);
}

static void
test_room_for_fewer_places(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    find_places(f);
    for (size_t max = 0; max <= MAX; max++) {
        struct memctx_range places[MAX + 1] = {{0, 0}};
        assert_int_equal(memctx_linux_places(f->map, places, max), max);
        assert_int_equal(places[max].size, 0);
    }
}

static void
test_ram_that_cannot_be_read(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    guestimg_faults()->fail_from = 1;
    find_places(f);
    assert_int_equal(f->n, 3);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_empty_ram_has_three_places),
        T(test_place_behind_the_image),
        T(test_place_behind_the_image_with_five_levels),
        T(test_trampoline_on_any_page_below_640_kib),
        T(test_trampoline_that_leads_nowhere),
        T(test_image_of_a_single_page_is_none),
        T(test_image_at_the_end_of_the_address_space),
        T(test_low_memory_full_of_trampolines),
        T(test_ram_smaller_than_its_places),
        T(test_room_for_fewer_places),
        T(test_ram_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
