/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Raw RAM of which nobody says where it is split, or says it wrongly. */
#include "unit.h"

#include "guestimg.h"
#include "memctx/rawram.h"

#define RAM (1024 * MEMCTX_MIB)
#define WRONG (128 * MEMCTX_MIB) /* the kernel of guestimg lies below */
#define LARGE (2 * MEMCTX_MIB)
/* Where guestimg has it, in the root table of its 4 levels. */
#define DIRECT_MAP UINT64_C(0xffff888000000000)
#define DIRECT_MAP_ENTRY (8 * (DIRECT_MAP >> 39 & 511))
#define RW (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE)

struct fixture {
    struct guestimg img;
    struct guestimg_kernel kernel;
    struct ram ram;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->kernel = guestimg_kernel();
    guestimg_add_kernel(&f->img, &f->kernel);
    guestimg_write_le64(&f->img, f->kernel.root_gpa + DIRECT_MAP_ENTRY, 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    ram_deinit(&f->ram);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

/* Map all RAM by tables that begin at this place. */
static void
map_all(struct fixture *f, uint64_t tables_gpa)
{
    const struct guestimg_space space = {f->kernel.root_gpa, f->kernel.levels};
    f->img.free_gpa = tables_gpa;
    guestimg_map_range(&f->img, &space, DIRECT_MAP, 0, RAM, LARGE, RW);
}

static enum memctx_layout_proof
find(struct fixture *f, uint64_t low)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_search_result result = {.n_kernels = 0};
    enum memctx_layout_proof proof = MEMCTX_LAYOUT_PROOFS;
    struct trail trail;
    trail_init(&trail, false);
    assert_done(ram_from_fd(guestimg_open(&f->img), "ram", low, &f->ram, &err),
                &err);
    assert_done(rawram_find(&f->ram, low, &trail, &result, &proof, &err), &err);
    assert_int_equal(result.n_kernels, 1);
    assert_int_equal(result.kernels[0].kcr3, f->kernel.root_gpa);
    return proof;
}

static void
test_kernel_confirms_what_is_usual(void **state)
{
    struct fixture *f = *state;
    map_all(f, 2 * MEMCTX_MIB);
    assert_int_equal(find(f, 0), MEMCTX_LAYOUT_PROVEN);
    assert_int_equal(f->ram.low, RAM);
}

static void
test_kernel_corrects_what_was_said(void **state)
{
    struct fixture *f = *state;
    map_all(f, 2 * MEMCTX_MIB);
    assert_int_equal(find(f, WRONG), MEMCTX_LAYOUT_PROVEN);
    assert_int_equal(f->ram.low, RAM);
}

/* Where the tables of the direct map cannot be found in the wrong layout it
 * tells nothing; it does so in the right one. */
static void
test_tables_that_the_wrong_layout_has_not(void **state)
{
    struct fixture *f = *state;
    map_all(f, 512 * MEMCTX_MIB);
    assert_int_equal(find(f, WRONG), MEMCTX_LAYOUT_PROVEN);
    assert_int_equal(f->ram.low, RAM);
}

static void
test_kernel_that_tells_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(find(f, WRONG), MEMCTX_LAYOUT_ASSUMED);
    assert_int_equal(f->ram.low, WRONG);
}

/* Nobody has contradicted what machines do. */
static void
test_kernel_that_tells_nothing_of_what_is_usual(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(find(f, 0), MEMCTX_LAYOUT_CERTAIN);
    assert_int_equal(f->ram.low, RAM);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_kernel_confirms_what_is_usual),
        T(test_kernel_corrects_what_was_said),
        T(test_tables_that_the_wrong_layout_has_not),
        T(test_kernel_that_tells_nothing),
        T(test_kernel_that_tells_nothing_of_what_is_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
