/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which of two possible layouts a kernel proves. */
#include "unit.h"

#include "search/layouts.h"
#include "guestimg.h"

#define RAM (512 * MEMCTX_MIB)
#define LOW (256 * MEMCTX_MIB)
#define OTHER_LOW (128 * MEMCTX_MIB)
#define ABOVE (4 * MEMCTX_GIB)
#define TIB (1024 * MEMCTX_GIB)
#define DIRECT_MAP UINT64_C(0xffff888000000000)
#define SECOND UINT64_C(1000000)
#define BOOT (UINT64_C(0x100000000) - 300 * 250)
#define CLOCK_BEHIND_ROOT 0x10cc0

struct fixture {
    struct guestimg img; /* laid out as it should be */
    struct memctx_rammap *right;
    struct memctx_rammap *wrong; /* goes on at 1 TiB */
    struct memctx_layouts *layouts;
    struct memctx_bootstrap_request request;
    struct memctx_layouts_result result;
    struct memctx_error err;
};

static void
lay_out(struct memctx_rammap *map, uint64_t low, uint64_t above)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct memctx_extent below = {0, low, 0, 0};
    const struct memctx_extent rest = {above, RAM - low, low, 0};
    assert_done(memctx_rammap_add_extent(map, &below, &err), &err);
    assert_done(memctx_rammap_add_extent(map, &rest, &err), &err);
}

static struct memctx_rammap *
copy_as(const struct memctx_rammap *map, uint64_t low, uint64_t above)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *copy;
    assert_done(memctx_rammap_create_beside(map, &copy, &err), &err);
    lay_out(copy, low, above);
    return copy;
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, LOW);
    f->right = guestimg_rammap(&f->img, NULL);
    f->wrong = copy_as(f->right, LOW, TIB);
    f->request.now_us = 1234 * SECOND;
    f->request.cold = true;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_layouts_destroy(f->layouts);
    memctx_rammap_destroy(f->right);
    memctx_rammap_destroy(f->wrong);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static void
begin(struct fixture *f, const struct memctx_rammap *first,
      const struct memctx_rammap *second)
{
    const struct memctx_rammap *const maps[] = {first, second};
    assert_done(memctx_layouts_create(maps, second != NULL ? 2 : 1, &f->layouts,
                                      &f->err),
                &f->err);
}

static int
try_once(struct fixture *f)
{
    return memctx_layouts_try(f->layouts, &f->request, &f->result, &f->err);
}

static struct guestimg_kernel
add_kernel_and_note(struct guestimg *img, const char *release,
                    uint64_t text_gpa, uint64_t note_gpa)
{
    struct guestimg_kernel kernel = guestimg_kernel();
    kernel.release = release;
    kernel.text_gpa = text_gpa;
    kernel.bare_gpa = 0;
    kernel.note_gpa = note_gpa;
    kernel.trampoline_gpa = 0;
    guestimg_add_kernel(img, &kernel);
    guestimg_write_le64(img, kernel.root_gpa + CLOCK_BEHIND_ROOT, BOOT);
    return kernel;
}

static struct guestimg_kernel
add_kernel(struct guestimg *img, const char *release, uint64_t text_gpa)
{
    return add_kernel_and_note(img, release, text_gpa,
                               text_gpa + 16 * MEMCTX_MIB);
}

static struct guestimg_kernel
add_high_kernel(struct fixture *f)
{
    return add_kernel(&f->img, "6.1", ABOVE + 64 * MEMCTX_MIB);
}

static void
assert_won(const struct fixture *f, const struct guestimg_kernel *kernel,
           size_t layout, enum memctx_layout_proof proof)
{
    assert_int_equal(f->result.found.kernel.kcr3, kernel->root_gpa);
    assert_int_equal(f->result.layout, layout);
    assert_int_equal(f->result.proof, proof);
}

static void
test_kernel_above_the_split_proves_the_unlikely_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_high_kernel(f);
    begin(f, f->wrong, f->right);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 1, MEMCTX_LAYOUT_PROVEN);
}

static void
test_kernel_above_the_split_proves_the_likely_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_high_kernel(f);
    begin(f, f->right, f->wrong);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_PROVEN);
}

/* Map so much of the RAM above the split, in place of all of it. */
static void
map_above(struct fixture *f, const struct guestimg_kernel *kernel,
          uint64_t size)
{
    const struct guestimg_space space = {kernel->root_gpa, kernel->levels};
    guestimg_map(&f->img, &space, DIRECT_MAP + ABOVE, ABOVE, MEMCTX_GIB, 0);
    guestimg_map_range(&f->img, &space, DIRECT_MAP + ABOVE, ABOVE, size,
                       2 * MEMCTX_MIB, MEMCTX_PTE_PRESENT);
}

static void
test_kernel_below_the_split_proves_neither(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(&f->img, "6.1", 64 * MEMCTX_MIB);
    map_above(f, &kernel, 0);
    begin(f, f->wrong, f->right);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_ASSUMED);
}

/* All of the kernel is where the layouts agree, but not its direct map. */
static void
test_direct_map_proves_the_unlikely_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(&f->img, "6.1", 64 * MEMCTX_MIB);
    map_above(f, &kernel, 32 * MEMCTX_MIB);
    begin(f, f->wrong, f->right);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 1, MEMCTX_LAYOUT_PROVEN);
}

/* The note is found in both layouts, at another address in each, which is no
 * proof of either: the direct map decides, or nothing does. */
static void
test_note_above_the_split_is_no_proof(void **state)
{
    struct fixture *f = *state;
    uint64_t note = ABOVE + 32 * MEMCTX_MIB;
    struct guestimg_kernel kernel =
        add_kernel_and_note(&f->img, "6.1", 64 * MEMCTX_MIB, note);
    map_above(f, &kernel, 0);
    begin(f, f->right, f->wrong);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_ASSUMED);
    memctx_layouts_destroy(f->layouts);
    map_above(f, &kernel, 32 * MEMCTX_MIB);
    begin(f, f->wrong, f->right);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 1, MEMCTX_LAYOUT_PROVEN);
    assert_int_equal(f->result.found.kernel.linux_facts.vmcoreinfo_gpa, note);
    assert_done(
        memctx_layouts_verify(f->layouts, &f->request, &f->result, &f->err),
        &f->err);
    assert_int_equal(f->result.found.kernel.linux_facts.vmcoreinfo_gpa, note);
}

static void
test_only_layout_is_certain(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_high_kernel(f);
    begin(f, f->right, NULL);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_CERTAIN);
}

/* A kernel that lies where all layouts agree, and maps all RAM as it is. */
static struct guestimg_kernel
add_kernel_with_direct_map(struct fixture *f)
{
    struct guestimg_kernel kernel = add_kernel(&f->img, "6.1", 64 * MEMCTX_MIB);
    const struct guestimg_space space = {kernel.root_gpa, kernel.levels};
    for (uint64_t gpa = 0; gpa < ABOVE; gpa += MEMCTX_GIB)
        guestimg_map(&f->img, &space, DIRECT_MAP + gpa, gpa, MEMCTX_GIB, 0);
    guestimg_map_range(&f->img, &space, DIRECT_MAP, 0, LOW, 2 * MEMCTX_MIB,
                       MEMCTX_PTE_PRESENT);
    map_above(f, &kernel, RAM - LOW);
    return kernel;
}

/* The only layout that is known, if it is doubted, is what the kernel says. */
static void
test_kernel_confirms_the_doubted_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel_with_direct_map(f);
    memctx_rammap_doubt(f->right);
    begin(f, f->right, NULL);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_PROVEN);
}

static void
test_kernel_contradicts_the_doubted_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel_with_direct_map(f);
    memctx_rammap_destroy(f->wrong);
    f->wrong = copy_as(f->right, OTHER_LOW, ABOVE);
    memctx_rammap_doubt(f->wrong);
    begin(f, f->wrong, NULL);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_ASSUMED);
    const struct memctx_kernel adopted = f->result.found.kernel;
    memctx_layouts_destroy(f->layouts);
    begin(f, f->wrong, NULL);
    memctx_layouts_adopt(f->layouts, &adopted, 0);
    assert_done(
        memctx_layouts_verify(f->layouts, &f->request, &f->result, &f->err),
        &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_ASSUMED);
}

/* Nothing on the host speaks against the layout, but the kernel does. */
static void
test_kernel_makes_a_layout_doubtful(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel_with_direct_map(f);
    memctx_rammap_destroy(f->wrong);
    f->wrong = copy_as(f->right, OTHER_LOW, ABOVE);
    begin(f, f->wrong, NULL);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_ASSUMED);
    memctx_layouts_destroy(f->layouts);
    begin(f, f->right, NULL);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_CERTAIN);
}

/* As with mem= on its command line, or a DIMM that it does not use. */
static void
test_kernel_with_less_ram_makes_no_layout_doubtful(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel_with_direct_map(f);
    map_above(f, &kernel, 0);
    begin(f, f->right, NULL);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_CERTAIN);
}

static void
test_kernel_that_maps_no_ram_proves_no_doubted_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(&f->img, "6.1", 64 * MEMCTX_MIB);
    const struct guestimg_space space = {kernel.root_gpa, kernel.levels};
    guestimg_map(&f->img, &space, DIRECT_MAP, 0, MEMCTX_GIB, 0);
    map_above(f, &kernel, 0);
    memctx_rammap_doubt(f->right);
    begin(f, f->right, NULL);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 0, MEMCTX_LAYOUT_ASSUMED);
}

static void
test_only_layout_that_is_wrong_finds_nothing(void **state)
{
    struct fixture *f = *state;
    add_high_kernel(f);
    begin(f, f->wrong, NULL);
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "");
}

/* All RAM is read twice, and no more than the budget. */
static void
test_budget_is_dealt_out(void **state)
{
    struct fixture *f = *state;
    guestimg_touch(&f->img, 0, LOW);
    begin(f, f->wrong, f->right);
    f->request.budget_bytes = 32 * MEMCTX_MIB;
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "");
    assert_in_range(f->result.found.bytes_read, 16 * MEMCTX_MIB,
                    40 * MEMCTX_MIB);
}

static void
run_second(struct fixture *f, const struct guestimg_kernel *kernel)
{
    uint64_t clock = kernel->root_gpa + CLOCK_BEHIND_ROOT;
    guestimg_write_le64(&f->img, clock,
                        guestimg_read_le64(&f->img, clock) + 250);
    f->request.now_us += SECOND;
}

static void
test_kernel_must_run_in_its_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_high_kernel(f);
    f->request.cold = false;
    begin(f, f->wrong, f->right);
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "running");
    assert_true(f->result.found.pending);
    assert_int_equal(f->result.layout, 1);
    run_second(f, &kernel);
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 1, MEMCTX_LAYOUT_PROVEN);
    assert_true(f->result.found.alive);
}

static void
test_watch_goes_on_in_every_layout(void **state)
{
    struct fixture *f = *state;
    struct memctx_words words;
    struct guestimg_kernel kernel = add_high_kernel(f);
    f->request.cold = false;
    begin(f, f->wrong, f->right);
    assert_int_equal(
        memctx_layouts_watch(f->layouts, &f->request, &f->result, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no kernel is pending");
    assert_int_equal(try_once(f), -1);
    assert_int_equal(
        memctx_layouts_watch(f->layouts, &f->request, &f->result, &f->err), -1);
    assert_true(f->result.found.pending);
    assert_int_equal(f->result.layout, 1);
    run_second(f, &kernel);
    assert_done(
        memctx_layouts_watch(f->layouts, &f->request, &f->result, &f->err),
        &f->err);
    assert_won(f, &kernel, 1, MEMCTX_LAYOUT_PROVEN);
    assert_done(
        memctx_layouts_words(f->layouts, f->request.now_us, &words, &f->err),
        &f->err);
    assert_int_equal(words.n, 1);
}

static void
test_adopted_kernel_is_in_its_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_high_kernel(f);
    begin(f, f->wrong, f->right);
    assert_done(try_once(f), &f->err);
    const struct memctx_kernel adopted = f->result.found.kernel;
    memctx_layouts_destroy(f->layouts);
    begin(f, f->wrong, f->right);
    memctx_layouts_adopt(f->layouts, &adopted, 1);
    assert_done(
        memctx_layouts_verify(f->layouts, &f->request, &f->result, &f->err),
        &f->err);
    assert_int_equal(f->result.found.kernel.kcr3, kernel.root_gpa);
    assert_int_equal(f->result.layout, 1);
}

static void
test_verify_stays_in_the_layout(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_high_kernel(f);
    begin(f, f->wrong, f->right);
    assert_done(try_once(f), &f->err);
    assert_done(
        memctx_layouts_verify(f->layouts, &f->request, &f->result, &f->err),
        &f->err);
    assert_won(f, &kernel, 1, MEMCTX_LAYOUT_PROVEN);
}

/* Before anything was found there is nothing to verify. */
static void
test_verify_after_a_reset(void **state)
{
    struct fixture *f = *state;
    add_high_kernel(f);
    begin(f, f->wrong, f->right);
    assert_done(try_once(f), &f->err);
    memctx_layouts_new_boot(f->layouts);
    assert_int_equal(
        memctx_layouts_verify(f->layouts, &f->request, &f->result, &f->err),
        -1);
    assert_error(&f->err, MEMCTX_RETRY, "no kernel");
}

static void
test_truncated_backing_ends_it(void **state)
{
    struct fixture *f = *state;
    begin(f, f->wrong, f->right);
    guestimg_truncate(&f->img, LOW);
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_GONE, "");
}

/* The candidates differ in the split; each holds a kernel that the other one
 * contradicts, as an earlier boot of another guest might leave behind. */
static void
add_rival(struct fixture *f)
{
    struct guestimg rival = f->img;
    rival.low = OTHER_LOW;
    add_kernel(&rival, "5.10", ABOVE + 16 * MEMCTX_MIB);
    memctx_rammap_destroy(f->wrong);
    f->wrong = copy_as(f->right, OTHER_LOW, ABOVE);
}

static void
test_paused_guest_with_a_kernel_in_each_layout(void **state)
{
    struct fixture *f = *state;
    add_high_kernel(f);
    add_rival(f);
    begin(f, f->right, f->wrong);
    f->request.cold = false;
    f->request.paused = true;
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "layout");
}

static void
test_paused_guest_with_one_kernel(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_high_kernel(f);
    begin(f, f->wrong, f->right);
    f->request.cold = false;
    f->request.paused = true;
    assert_done(try_once(f), &f->err);
    assert_won(f, &kernel, 1, MEMCTX_LAYOUT_PROVEN);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_kernel_above_the_split_proves_the_unlikely_layout),
        T(test_kernel_above_the_split_proves_the_likely_layout),
        T(test_kernel_below_the_split_proves_neither),
        T(test_direct_map_proves_the_unlikely_layout),
        T(test_note_above_the_split_is_no_proof),
        T(test_only_layout_is_certain),
        T(test_kernel_confirms_the_doubted_layout),
        T(test_kernel_contradicts_the_doubted_layout),
        T(test_kernel_makes_a_layout_doubtful),
        T(test_kernel_with_less_ram_makes_no_layout_doubtful),
        T(test_kernel_that_maps_no_ram_proves_no_doubted_layout),
        T(test_only_layout_that_is_wrong_finds_nothing),
        T(test_budget_is_dealt_out),
        T(test_kernel_must_run_in_its_layout),
        T(test_watch_goes_on_in_every_layout),
        T(test_adopted_kernel_is_in_its_layout),
        T(test_verify_stays_in_the_layout),
        T(test_verify_after_a_reset),
        T(test_truncated_backing_ends_it),
        T(test_paused_guest_with_a_kernel_in_each_layout),
        T(test_paused_guest_with_one_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
