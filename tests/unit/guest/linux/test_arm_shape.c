/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel for aarch64 without VMCOREINFO, found by the shape of its root. */
#include "unit.h"

#include "armimg.h"
#include "guest/linux/arm.h"
#include "guest/linux/clock.h"
#include "guest/linux/shape.h"
#include "search/search.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (128 * MEMCTX_MIB)
#define BANNER "Linux version 6.1.0-50-cloud-arm64 (x)"
#define BANNER_AT UINT64_C(0x210000)
#define INIT_MM_AT UINT64_C(0x430050)
#define DIRECT_MAP UINT64_C(0xffff000000000000)
#define STALE (MEMCTX_GIB + 30 * MEMCTX_MIB)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct armimg_kernel kernel;
    struct memctx_search_result *result;
    struct memctx_kernel found;
    struct memctx_linux_image image;
    struct memctx_error err;
};

static void
build(struct fixture *f, unsigned va_bits, uint64_t base_gpa, bool with_note)
{
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    guestimg_init_at(&f->img, RAM, MEMCTX_GIB);
    f->kernel = armimg_kernel();
    f->kernel.va_bits = va_bits;
    f->kernel.text_gva |= UINT64_MAX << (va_bits - 1);
    armimg_add_kernel(&f->img, &f->kernel);
    const struct armimg_space space = {f->kernel.root_gpa, 12, va_bits, 0};
    uint64_t text = f->kernel.text_gpa;
    armimg_map(&f->img, &space, UINT64_MAX << va_bits, MEMCTX_GIB, 1,
               ARMIMG_AF | ARMIMG_PXN);
    guestimg_write(&f->img, text + BANNER_AT, BANNER, sizeof(BANNER));
    guestimg_write_le64(&f->img, text + INIT_MM_AT,
                        f->kernel.text_gva +
                            (f->kernel.root_gpa - f->kernel.text_gpa));
    if (!with_note)
        guestimg_punch(&f->img, f->kernel.note_gpa, PAGE);
    f->img.base_gpa = base_gpa;
    f->map = guestimg_rammap(&f->img, NULL);
    f->img.base_gpa = MEMCTX_GIB;
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    f->result = test_calloc(1, sizeof(*f->result));
    guestimg_init_at(&f->img, RAM, MEMCTX_GIB);
    build(f, 48, MEMCTX_GIB, false);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f->result);
    test_free(f);
    return 0;
}

static int
search(struct fixture *f, bool all)
{
    struct memctx_search *search;
    const struct memctx_search_request request = {.budget_bytes = all ? 0 : RAM,
                                                  .all = all};
    assert_done(memctx_search_create(&search, &f->err), &f->err);
    int failed =
        memctx_search_try(search, f->map, &request, f->result, &f->err);
    memctx_search_destroy(search);
    return failed;
}

static void
test_first_try_finds_it_where_loaders_put_it(void **state)
{
    struct fixture *f = *state;
    static const unsigned bits[] = {39, 48};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(bits); i++) {
        build(f, bits[i], MEMCTX_GIB, false);
        assert_done(search(f, false), &f->err);
        const struct memctx_kernel *kernel = &f->result->kernels[0];
        assert_int_equal(kernel->kcr3, f->kernel.root_gpa);
        assert_int_equal(kernel->paging, memctx_paging_aarch64(PAGE, bits[i]));
        assert_int_equal(kernel->base_gva, f->kernel.text_gva);
        assert_int_equal(kernel->linux_facts.kimage_voffset,
                         f->kernel.text_gva - f->kernel.text_gpa);
        assert_string_equal(kernel->version, f->kernel.release);
        assert_string_equal(kernel->found, "without-note");
    }
}

/* The kernel's own note is better, and its variables tell where that is. */
static void
test_note_is_preferred(void **state)
{
    struct fixture *f = *state;
    build(f, 48, MEMCTX_GIB, true);
    const struct armimg_space space = {f->kernel.root_gpa, 12, 48, 0};
    uint64_t gva = DIRECT_MAP + (f->kernel.note_gpa - MEMCTX_GIB);
    armimg_map(&f->img, &space, gva, f->kernel.note_gpa, 1, ARMIMG_AF);
    guestimg_write_le64(&f->img, f->kernel.text_gpa + 0x700008, gva);
    assert_done(search(f, false), &f->err);
    assert_string_equal(f->result->kernels[0].found, "vmcoreinfo-note");
}

static void
refuse(struct fixture *f, uint64_t root_gpa, const char *words)
{
    assert_int_equal(memctx_linux_shape_verify(f->map, root_gpa, false,
                                               &f->found, &f->image, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

/* A copy of the root in a page of the image that init_mm does not name, and one
 * beside the image. */
static void
test_roots_that_are_not_the_kernels(void **state)
{
    struct fixture *f = *state;
    uint64_t inside = f->kernel.root_gpa + 16 * PAGE;
    for (uint64_t i = 0; i < PAGE; i += 8) {
        uint64_t entry = guestimg_read_le64(&f->img, f->kernel.root_gpa + i);
        guestimg_write_le64(&f->img, inside + i, entry);
        guestimg_write_le64(&f->img, STALE + i, entry);
    }
    refuse(f, inside, "no init_mm with this root");
    refuse(f, STALE, "no read-only code of an image that has it");
}

/* The table of the early boot has no direct map; others no image. */
static void
test_pages_that_are_no_root(void **state)
{
    (void)state;
    unsigned char page[PAGE] = {0};
    assert_false(memctx_linux_arm_is_root(page));
    page[400 * 8] = 3;
    page[400 * 8 + 2] = 1;
    assert_false(memctx_linux_arm_is_root(page));
    page[8] = 3;
    page[8 + 2] = 1;
    assert_true(memctx_linux_arm_is_root(page));
    page[16] = 1; /* a block */
    page[16 + 2] = 1;
    assert_false(memctx_linux_arm_is_root(page));
}

/* RAM of a file, which begins at 0. */
static void
test_ram_that_begins_elsewhere_is_told(void **state)
{
    struct fixture *f = *state;
    build(f, 48, 0, false);
    assert_int_equal(search(f, true), -1);
    assert_int_equal(f->result->ram_gpa, MEMCTX_GIB);
}

static void
test_clock_is_behind_the_root(void **state)
{
    struct fixture *f = *state;
    struct memctx_clocks *clocks = test_calloc(1, sizeof(*clocks));
    assert_done(search(f, false), &f->err);
    guestimg_write_le64(&f->img, f->kernel.jiffies_gpa, 0xffff8ad0u + 1000u);
    assert_done(
        memctx_linux_clocks(f->map, &f->result->kernels[0], clocks, &f->err),
        &f->err);
    assert_int_equal(clocks->n, 1);
    assert_int_equal(clocks->clock[0].gpa, f->kernel.jiffies_gpa);
    test_free(clocks);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_first_try_finds_it_where_loaders_put_it),
        T(test_note_is_preferred),
        T(test_roots_that_are_not_the_kernels),
        T(test_pages_that_are_no_root),
        T(test_ram_that_begins_elsewhere_is_told),
        T(test_clock_is_behind_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
