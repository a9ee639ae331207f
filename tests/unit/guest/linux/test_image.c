/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel's image is found by the shape of its page tables; a hostile guest
 * may build any shape, but neither crash the guess nor make it cost more. */
#include "unit.h"

#include "guestimg.h"
#include "guest/linux/image.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (128 * MEMCTX_MIB)
#define MAX 4

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct guestimg_kernel kernel;
    struct memctx_linux_image images[MAX];
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
find(struct fixture *f)
{
    memctx_rammap_destroy(f->map);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    f->n = memctx_linux_find_images(f->map, f->images, MAX);
}

/* level2_kernel_pgt of the built kernel, and its first entry for the image. */
static uint64_t
level2_entry(const struct guestimg_kernel *k, uint64_t index)
{
    uint64_t level2 = k->root_gpa + 3 * PAGE;
    return level2 + ((k->text_gva >> 21 & 0x1ff) + index) * 8;
}

static void
assert_found(const struct fixture *f, enum memctx_paging paging)
{
    assert_int_equal(f->n, 1);
    assert_int_equal(f->images[0].gpa, f->kernel.text_gpa);
    assert_int_equal(f->images[0].gpa + f->images[0].size, f->kernel.end_gpa);
    assert_int_equal(f->images[0].root_gpa, f->kernel.root_gpa);
    assert_int_equal(f->images[0].tables_gpa, f->kernel.root_gpa + 2 * PAGE);
    assert_int_equal(f->images[0].paging, paging);
}

static void
test_empty_ram_has_no_image(void **state)
{
    struct fixture *f = *state;
    find(f);
    assert_int_equal(f->n, 0);
}

static void
test_image_of_four_levels(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    find(f);
    assert_found(f, MEMCTX_PAGING_X86_64_4LEVEL);
}

static void
test_image_of_five_levels(void **state)
{
    struct fixture *f = *state;
    f->kernel.levels = 5;
    guestimg_add_kernel(&f->img, &f->kernel);
    find(f);
    assert_found(f, MEMCTX_PAGING_X86_64_5LEVEL);
}

static void
test_trampoline_on_any_page_below_640_kib(void **state)
{
    struct fixture *f = *state;
    static const uint64_t gpas[] = {PAGE, 2 * PAGE, 0x58000, 0x9f000};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(gpas); i++) {
        f->kernel.trampoline_gpa = gpas[i];
        guestimg_add_kernel(&f->img, &f->kernel);
        find(f);
        assert_found(f, MEMCTX_PAGING_X86_64_4LEVEL);
        guestimg_punch(&f->img, gpas[i], PAGE);
        find(f);
        assert_int_equal(f->n, 0);
    }
}

static void
test_two_boots_have_two_images(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel old = f->kernel;
    old.text_gpa = 64 * MEMCTX_MIB;
    old.trampoline_gpa = 0x9a000;
    guestimg_add_kernel(&f->img, &old);
    guestimg_add_kernel(&f->img, &f->kernel);
    find(f);
    assert_int_equal(f->n, 2);
    assert_int_equal(f->images[0].root_gpa, old.root_gpa);
    assert_int_equal(f->images[1].root_gpa, f->kernel.root_gpa);
    assert_int_equal(memctx_linux_find_images(f->map, f->images, 1), 1);
}

/* mark_rodata_ro() splits large pages at the borders of the sections. */
static void
test_image_whose_first_pages_were_split(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    for (uint64_t i = 0; i < 3; i++)
        guestimg_write_le64(&f->img, level2_entry(&f->kernel, i),
                            (MEMCTX_MIB + i * PAGE) | MEMCTX_PTE_PRESENT);
    find(f);
    assert_found(f, MEMCTX_PAGING_X86_64_4LEVEL);
}

static void
test_root_without_a_direct_map_is_passed_over(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    uint64_t entry = guestimg_read_le64(&f->img, f->kernel.root_gpa + 511 * 8);
    guestimg_write_le64(&f->img, f->kernel.root_gpa - 2 * PAGE + 511 * 8,
                        entry);
    find(f);
    assert_found(f, MEMCTX_PAGING_X86_64_4LEVEL);
    guestimg_punch(&f->img, f->kernel.root_gpa, PAGE);
    find(f);
    assert_int_equal(f->n, 1);
    assert_int_equal(f->images[0].root_gpa, 0);
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
        find(f);
        assert_int_equal(f->n, 0);
    }
}

static void
test_image_of_a_single_page_is_none(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    guestimg_write_le64(&f->img, level2_entry(&f->kernel, 1), 0);
    find(f);
    assert_int_equal(f->n, 0);
}

/* The frame of a page-table entry may say anything. */
static void
test_image_elsewhere_than_its_own_tables_is_none(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    for (uint64_t i = 0; i < 512; i++)
        guestimg_write_le64(&f->img, f->kernel.root_gpa + 3 * PAGE + i * 8,
                            UINT64_MAX);
    find(f);
    assert_int_equal(f->n, 0);
}

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
    find(f);
    assert_int_equal(f->n, 0);
    assert_true(guestimg_faults()->reads < 160 * 6);
}

static void
test_ram_of_one_page(void **state)
{
    struct fixture *f = *state;
    f->img.size = f->img.low = PAGE;
    find(f);
    assert_int_equal(f->n, 0);
}

static void
test_ram_that_cannot_be_read(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    guestimg_faults()->fail_from = 1;
    find(f);
    assert_int_equal(f->n, 0);
}

/* ---- its end ------------------------------------------------------------ */

static struct memctx_kernel
found_kernel(const struct fixture *f)
{
    return (struct memctx_kernel){
        .os = MEMCTX_OS_LINUX,
        .paging = MEMCTX_PAGING_X86_64_4LEVEL,
        .kcr3 = f->kernel.root_gpa,
        .base_gva = f->kernel.text_gva,
        .linux_facts = {.has_phys_base = true,
                        .phys_base = f->kernel.phys_base},
    };
}

static void
map_image(struct fixture *f, uint64_t offset, uint64_t gpa)
{
    const struct guestimg_space space = {f->kernel.root_gpa, 4};
    guestimg_map(&f->img, &space, f->kernel.text_gva + offset, gpa,
                 2 * MEMCTX_MIB, MEMCTX_PTE_PRESENT);
}

static void
assert_image_bytes(struct fixture *f, const struct memctx_kernel *kernel,
                   uint64_t wanted)
{
    memctx_rammap_destroy(f->map);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    assert_int_equal(memctx_linux_image_bytes(f->map, kernel), wanted);
}

/* Where .init was is a hole; behind a wide one are modules. */
static void
test_the_image_ends_behind_its_last_linear_page(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    struct memctx_kernel kernel = found_kernel(f);
    uint64_t text_gpa = f->kernel.text_gpa;
    uint64_t size = f->kernel.end_gpa - text_gpa;
    assert_image_bytes(f, &kernel, size);
    map_image(f, size + 4 * MEMCTX_MIB, text_gpa + size + 4 * MEMCTX_MIB);
    map_image(f, size + 8 * MEMCTX_MIB, 0);
    assert_image_bytes(f, &kernel, size + 6 * MEMCTX_MIB);
    map_image(f, 256 * MEMCTX_MIB, text_gpa + 256 * MEMCTX_MIB);
    assert_image_bytes(f, &kernel, size + 6 * MEMCTX_MIB);
}

static void
test_the_end_of_no_image_is_not_known(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->kernel);
    struct memctx_kernel kernel = found_kernel(f);
    kernel.linux_facts.phys_base += MEMCTX_PAGE_SIZE;
    assert_image_bytes(f, &kernel, 0);
    kernel = found_kernel(f);
    kernel.os = MEMCTX_OS_WINDOWS;
    assert_image_bytes(f, &kernel, 0);
    kernel = found_kernel(f);
    kernel.linux_facts.has_phys_base = false;
    assert_image_bytes(f, &kernel, 0);
    kernel = found_kernel(f);
    kernel.base_gva = MEMCTX_LINUX_IMAGE_MAP + MEMCTX_LINUX_IMAGE_MAP_SIZE;
    assert_image_bytes(f, &kernel, 0);
    kernel = found_kernel(f);
    guestimg_faults()->fail_from = 1;
    assert_image_bytes(f, &kernel, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_empty_ram_has_no_image),
        T(test_image_of_four_levels),
        T(test_image_of_five_levels),
        T(test_trampoline_on_any_page_below_640_kib),
        T(test_two_boots_have_two_images),
        T(test_image_whose_first_pages_were_split),
        T(test_root_without_a_direct_map_is_passed_over),
        T(test_trampoline_that_leads_nowhere),
        T(test_image_of_a_single_page_is_none),
        T(test_image_elsewhere_than_its_own_tables_is_none),
        T(test_low_memory_full_of_trampolines),
        T(test_ram_of_one_page),
        T(test_ram_that_cannot_be_read),
        T(test_the_image_ends_behind_its_last_linear_page),
        T(test_the_end_of_no_image_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
