/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which of several Windows kernels in RAM is taken after a reset: the one that
 * runs, even where the boot before had its clocks in the same page. */
#include "unit.h"

#include "search/bootstrap.h"
#include "guestimg.h"
#include "winimg.h"

#define RAM (128 * MEMCTX_MIB)
#define SECOND UINT64_C(1000000)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_bootstrap *bootstrap;
    struct memctx_bootstrap_request request;
    struct memctx_bootstrap_result result;
    struct winimg old;
    struct winimg new;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->map = guestimg_rammap(&f->img, NULL);
    f->request.now_us = 1234 * SECOND;
    assert_done(memctx_bootstrap_create(&f->bootstrap, &f->err), &f->err);
    f->old = winimg(19045, MEMCTX_PAGING_X86_64_4LEVEL);
    f->new = f->old;
    f->new.root_gpa = 0x1ae000;
    f->new.tables_gpa = 64 * MEMCTX_MIB;
    f->new.image_gpa = 80 * MEMCTX_MIB;
    f->new.base_gva = UINT64_C(0xfffff80654800000);
    f->new.stub_gpa = 0;
    f->new.uptime = 0;
    f->new.time += 36000000000;
    winimg_write(&f->img, &f->old);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_bootstrap_destroy(f->bootstrap);
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static int
try_once(struct fixture *f)
{
    return memctx_bootstrap_try(f->bootstrap, f->map, &f->request, &f->result,
                                &f->err);
}

static void
expect_pending(struct fixture *f)
{
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "has not been seen running yet");
    assert_true(f->result.pending);
}

static void
expect_alive(struct fixture *f, const struct winimg *w)
{
    assert_done(try_once(f), &f->err);
    assert_true(f->result.alive);
    assert_int_equal(f->result.kernel.kcr3, w->root_gpa);
}

/* Time goes by, and one guest's clock with it. */
static void
run(struct fixture *f, struct winimg *w, uint64_t us)
{
    winimg_tick(&f->img, w, us * 10);
    f->request.now_us += us;
}

static void
test_kernel_after_a_cold_start_is_taken_at_once(void **state)
{
    struct fixture *f = *state;
    f->request.cold = true;
    assert_done(try_once(f), &f->err);
    assert_int_equal(f->result.kernel.kcr3, f->old.root_gpa);
    assert_false(f->result.alive);
}

static void
test_dead_kernel_is_never_taken(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 100; i++) {
        expect_pending(f);
        f->request.now_us += SECOND;
    }
}

static void
test_kernel_whose_clock_ticks(void **state)
{
    struct fixture *f = *state;
    expect_pending(f);
    run(f, &f->old, 15625);
    expect_alive(f, &f->old);
}

static void
test_new_kernel_beside_the_old_one(void **state)
{
    struct fixture *f = *state;
    expect_pending(f);
    winimg_write(&f->img, &f->new);
    expect_pending(f);
    assert_int_equal(f->result.candidates, 2);
    run(f, &f->new, 15625);
    expect_alive(f, &f->new);
}

/* The old tables lead to the page in which the new kernel has its clocks. */
static void
test_new_kernel_with_the_shared_page_of_the_old_one(void **state)
{
    struct fixture *f = *state;
    f->new.shares_kuser = f->old.kuser_gpa;
    expect_pending(f);
    f->new.stage = WINIMG_KERNEL;
    winimg_write(&f->img, &f->new);
    for (int i = 0; i < 20; i++) {
        run(f, &f->new, SECOND / 10);
        expect_pending(f);
    }
    f->new.stage = WINIMG_READY;
    winimg_write(&f->img, &f->new);
    run(f, &f->new, SECOND / 10);
    (void)try_once(f);
    for (int i = 0; i < 40; i++) {
        run(f, &f->new, SECOND / 10);
        if (try_once(f) == 0)
            assert_int_equal(f->result.kernel.kcr3, f->new.root_gpa);
    }
    (void)try_once(f);
    run(f, &f->new, SECOND / 10);
    expect_alive(f, &f->new);
}

/* Who came later nobody saw; the System processes tell it. */
static void
test_both_there_from_the_beginning(void **state)
{
    struct fixture *f = *state;
    f->new.shares_kuser = f->old.kuser_gpa;
    winimg_write(&f->img, &f->new);
    for (int i = 0; i < 10; i++) {
        run(f, &f->new, SECOND);
        expect_pending(f);
    }
    f->old.created = f->old.time;
    f->new.created = f->old.time + 10000000;
    winimg_write(&f->img, &f->old);
    f->new.shares_kuser = f->old.kuser_gpa;
    winimg_write(&f->img, &f->new);
    memctx_bootstrap_new_boot(f->bootstrap);
    (void)try_once(f);
    run(f, &f->new, SECOND);
    expect_alive(f, &f->new);
}

/* The next boot put everything where it was: the same answer, a bit later. */
static void
test_new_kernel_in_the_old_ones_place(void **state)
{
    struct fixture *f = *state;
    expect_pending(f);
    f->old.uptime = 0;
    run(f, &f->old, SECOND);
    expect_pending(f);
    for (int i = 0; i < 3; i++)
        run(f, &f->old, SECOND);
    expect_alive(f, &f->old);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_kernel_after_a_cold_start_is_taken_at_once),
        T(test_dead_kernel_is_never_taken),
        T(test_kernel_whose_clock_ticks),
        T(test_new_kernel_beside_the_old_one),
        T(test_new_kernel_with_the_shared_page_of_the_old_one),
        T(test_both_there_from_the_beginning),
        T(test_new_kernel_in_the_old_ones_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
