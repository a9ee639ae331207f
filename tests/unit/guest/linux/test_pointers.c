/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel's variables lead to its pages, each reported about once, however
 * many pointers a hostile guest writes. */
#include "unit.h"

#include "guestimg.h"
#include "guest/linux/pointers.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (128 * MEMCTX_MIB)
#define DIRECT_MAP UINT64_C(0xffff888000000000)
#define PAGES_MAX 16384

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct guestimg_kernel kernel;
    struct memctx_linux_image image;
    uint64_t pages[PAGES_MAX];
    size_t n;
    size_t stop_after; /* pages; 0: never */
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

static bool
collect(uint64_t page_gpa, void *arg)
{
    struct fixture *f = arg;
    assert_true(f->n < PAGES_MAX);
    f->pages[f->n++] = page_gpa;
    return f->n != f->stop_after;
}

static uint64_t
follow(struct fixture *f)
{
    memctx_rammap_destroy(f->map);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    assert_int_equal(memctx_linux_find_images(f->map, &f->image, 1), 1);
    f->n = 0;
    return memctx_linux_pointers(f->map, &f->image, collect, f);
}

static size_t
count(const struct fixture *f, uint64_t gpa)
{
    size_t found = 0;
    for (size_t i = 0; i < f->n; i++)
        found += f->pages[i] == gpa;
    return found;
}

static void
check_both_pages(struct fixture *f)
{
    guestimg_add_kernel(&f->img, &f->kernel);
    follow(f);
    assert_int_equal(count(f, f->kernel.note_gpa), 1);
    assert_int_equal(count(f, f->kernel.bare_gpa), 1);
}

static void
test_both_pages_are_pointed_at(void **state)
{
    check_both_pages(*state);
}

static void
test_both_pages_are_pointed_at_with_five_levels(void **state)
{
    struct fixture *f = *state;
    f->kernel.levels = 5;
    check_both_pages(f);
}

static void
test_direct_map_that_kaslr_moved(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    struct guestimg_space space = {f->kernel.root_gpa, 4};
    const uint64_t moved = UINT64_C(0xffff9a4740000000);
    guestimg_map(&f->img, &space, moved, 0, MEMCTX_GIB, MEMCTX_PTE_PRESENT);
    guestimg_write_le64(&f->img, f->kernel.bss_gpa, moved + 33 * PAGE);
    guestimg_write_le64(&f->img, f->kernel.bss_gpa + 16, moved + 44 * PAGE);
    follow(f);
    assert_int_equal(f->n, 2);
    assert_int_equal(count(f, 33 * PAGE), 1);
    assert_int_equal(count(f, 44 * PAGE), 1);
}

/* What vmalloc maps is not where the direct map's arithmetic would put it. */
static void
test_first_pointer_into_vmalloc_space_misleads_nobody(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    struct guestimg_space space = {f->kernel.root_gpa, 4};
    const uint64_t vmalloc = UINT64_C(0xffffc90000000000);
    guestimg_map(&f->img, &space, vmalloc, 7 * PAGE, PAGE, MEMCTX_PTE_PRESENT);
    guestimg_write_le64(&f->img, f->kernel.bss_gpa - 64, vmalloc);
    guestimg_write_le64(&f->img, f->kernel.bss_gpa - 32, vmalloc + PAGE);
    follow(f);
    assert_int_equal(count(f, f->kernel.note_gpa), 1);
    assert_int_equal(count(f, f->kernel.bare_gpa), 1);
    assert_int_equal(f->n, 2);
}

static void
test_other_words_are_no_pointers(void **state)
{
    struct fixture *f = *state;
    static const uint64_t words[] = {
        DIRECT_MAP + 1,               /* within a page */
        DIRECT_MAP + RAM,             /* behind RAM */
        UINT64_C(0xffffffff81000000), /* the image itself */
        UINT64_C(0x7f0000000000),     /* user space */
        UINT64_C(0xfffffffffffff000), /* -4096 */
        UINT64_C(0xfe00000000000000), /* not canonical */
    };
    f->kernel.bare_gpa = f->kernel.note_gpa = 0;
    guestimg_add_kernel(&f->img, &f->kernel);
    guestimg_write_le64(&f->img, f->kernel.bss_gpa, DIRECT_MAP + 5 * PAGE);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(words); i++)
        guestimg_write_le64(&f->img, f->kernel.bss_gpa + 16 + 8 * i, words[i]);
    /* Nor are they the end of what is looked through. */
    guestimg_write_le64(&f->img, f->kernel.bss_gpa + 128,
                        DIRECT_MAP + 6 * PAGE);
    follow(f);
    assert_int_equal(f->n, 2);
    assert_int_equal(f->pages[0], 5 * PAGE);
    assert_int_equal(f->pages[1], 6 * PAGE);
}

static void
test_one_pointer_in_many_places_is_followed_once(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    for (uint64_t i = 0; i < 10000; i++)
        guestimg_write_le64(&f->img, f->kernel.bss_gpa + 64 + 8 * i,
                            DIRECT_MAP + 9 * PAGE);
    follow(f);
    assert_int_equal(count(f, 9 * PAGE), 1);
}

static void
test_image_full_of_pointers_ends(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    for (uint64_t i = 0; i < 20000; i++)
        guestimg_write_le64(&f->img, f->kernel.root_gpa + 4 * PAGE + 8 * i,
                            DIRECT_MAP + i * PAGE);
    follow(f);
    assert_int_equal(f->n, 8192);
}

/* ... and of such that no table maps: each costs a walk. */
static void
test_image_full_of_wild_pointers_ends(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    for (uint64_t i = 0; i < 20000; i++)
        guestimg_write_le64(&f->img, f->kernel.root_gpa + 4 * PAGE + 8 * i,
                            UINT64_C(0xffffd00000000000) + i * PAGE);
    guestimg_faults()->reads = 0;
    follow(f);
    assert_int_equal(f->n, 0);
    assert_true(guestimg_faults()->reads < 8192 * 4 + 1000);
}

static void
test_caller_has_enough(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    f->stop_after = 1;
    uint64_t bytes = follow(f);
    assert_int_equal(f->n, 1);
    assert_true(bytes <= f->kernel.end_gpa - f->kernel.text_gpa);
}

static void
test_kernel_without_a_root_yet(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    guestimg_punch(&f->img, f->kernel.root_gpa, PAGE);
    assert_int_equal(follow(f), 0);
    assert_int_equal(f->n, 0);
}

static void
test_ram_that_cannot_be_read_any_more(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    follow(f);
    guestimg_faults()->fail_from = 1;
    f->n = 0;
    memctx_linux_pointers(f->map, &f->image, collect, f);
    assert_int_equal(f->n, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_both_pages_are_pointed_at),
        T(test_both_pages_are_pointed_at_with_five_levels),
        T(test_direct_map_that_kaslr_moved),
        T(test_first_pointer_into_vmalloc_space_misleads_nobody),
        T(test_other_words_are_no_pointers),
        T(test_one_pointer_in_many_places_is_followed_once),
        T(test_image_full_of_pointers_ends),
        T(test_image_full_of_wild_pointers_ends),
        T(test_caller_has_enough),
        T(test_kernel_without_a_root_yet),
        T(test_ram_that_cannot_be_read_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
