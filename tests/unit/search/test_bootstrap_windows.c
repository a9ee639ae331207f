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
    f->old.large_pages = false;
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

static void
expect_verified(struct fixture *f, const struct memctx_kernel *kernel)
{
    assert_done(memctx_bootstrap_verify(f->bootstrap, f->map, &f->request,
                                        &f->result, &f->err),
                &f->err);
    assert_true(memctx_kernel_is_same(&f->result.kernel, kernel));
    assert_string_equal(f->result.kernel.identity, kernel->identity);
    assert_memory_equal(&f->result.kernel.windows_facts, &kernel->windows_facts,
                        sizeof(kernel->windows_facts));
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

/* A kernel that was proven may page out what the proof needed, and bring it
 * back. Nobody is to notice. */
static void
test_kernel_that_was_found_is_paged_out(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned rva, size;
    } parts[] = {{0, 0x1000},
                 {WINIMG_EDATA, 0x1000},
                 {WINIMG_NAMES, 0x1000},
                 {0, WINIMG_ALL_OUT}};
    struct memctx_kernel found;
    expect_pending(f);
    run(f, &f->old, 15625);
    expect_alive(f, &f->old);
    found = f->result.kernel;
    for (unsigned i = 0; i < 3 * MEMCTX_ARRAY_LEN(parts); i++) {
        winimg_page(&f->img, &f->old, parts[i / 3].rva, parts[i / 3].size,
                    WINIMG_PAGE_FILE + i % 3);
        expect_verified(f, &found);
        /* A doubt: it is searched for, and proves to run. */
        (void)try_once(f);
        run(f, &f->old, SECOND);
        expect_alive(f, &f->old);
        expect_verified(f, &found);
        winimg_page(&f->img, &f->old, parts[i / 3].rva, parts[i / 3].size,
                    WINIMG_IN);
        expect_verified(f, &found);
    }
}

/* The kernel that runs has pages out; the boot before it lies complete in RAM,
 * with the shared page in the same place. */
static void
expect_never_the_old_one(struct fixture *f, unsigned rva, unsigned size,
                         enum winimg_out out)
{
    f->new.shares_kuser = f->old.kuser_gpa;
    winimg_write(&f->img, &f->new);
    winimg_page(&f->img, &f->new, rva, size, out);
    memctx_bootstrap_new_boot(f->bootstrap);
    for (int i = 0; i < 8; i++) {
        run(f, &f->new, SECOND);
        if (i % 2 == 0
                ? try_once(f) == 0
                : memctx_bootstrap_watch(f->bootstrap, f->map, &f->request,
                                         &f->result, &f->err) == 0)
            assert_int_equal(f->result.kernel.kcr3, f->new.root_gpa);
    }
    /* When its pages are in again it is found. */
    winimg_page(&f->img, &f->new, rva, size, WINIMG_IN);
    for (int i = 0; i < 5; i++) {
        run(f, &f->new, SECOND);
        if (try_once(f) == 0)
            break;
    }
    assert_int_equal(f->result.kernel.kcr3, f->new.root_gpa);
    assert_true(f->result.alive);
}

static void
set_times(struct winimg *w, uint64_t began)
{
    w->uptime = w->time - began;
    w->created = began + 10000000;
}

static void
test_old_kernel_beside_one_that_is_paged_out(void **state)
{
    struct fixture *f = *state;
    set_times(&f->old, f->old.time - 6000000000);
    winimg_write(&f->img, &f->old);
    set_times(&f->new, f->new.time - 600000000);
    for (int out = WINIMG_PAGE_FILE; out <= WINIMG_TRANSITION_SWIZZLED; out++) {
        expect_never_the_old_one(f, 0, 0x1000, out);
        expect_never_the_old_one(f, WINIMG_EDATA, 0x1000, out);
        expect_never_the_old_one(f, WINIMG_NAMES, 0x1000, out);
        expect_never_the_old_one(f, 0, WINIMG_ALL_OUT, out);
    }
}

/* The other way round: it is the boot before of which pages are out. The clock
 * that moves is proven to be the new one's by when that began. */
static void
test_old_kernel_that_is_paged_out(void **state)
{
    struct fixture *f = *state;
    set_times(&f->old, f->old.time - 6000000000);
    winimg_write(&f->img, &f->old);
    winimg_page(&f->img, &f->old, 0, WINIMG_ALL_OUT, WINIMG_PAGE_FILE);
    winimg_write_stub(&f->img, &f->new, f->old.stub_gpa, f->new.root_gpa);
    set_times(&f->new, f->new.time - 600000000);
    f->new.shares_kuser = f->old.kuser_gpa;
    winimg_write(&f->img, &f->new);
    (void)try_once(f);
    run(f, &f->new, SECOND);
    expect_alive(f, &f->new);
}

/* Nothing tells whose the clock is: neither is taken, and the sentence says
 * why. */
static void
test_owner_of_the_clock_is_not_known(void **state)
{
    struct fixture *f = *state;
    f->new.shares_kuser = f->old.kuser_gpa;
    winimg_write(&f->img, &f->new);
    winimg_page(&f->img, &f->new, 0, WINIMG_ALL_OUT, WINIMG_PAGE_FILE);
    /* Nor is there a pointer to its System process. */
    winimg_page(&f->img, &f->new, WINIMG_DATA, 0x1000, WINIMG_PAGE_FILE);
    (void)try_once(f);
    for (int i = 0; i < 5; i++) {
        run(f, &f->new, SECOND);
        assert_int_equal(try_once(f), -1);
        assert_true(f->result.pending);
    }
    assert_error(&f->err, MEMCTX_RETRY,
                 "kernel 10.0.19045 at root 0x1ad000 is complete, but "
                 "another, some of which is paged out, may be the one that "
                 "runs: root 0x");
}

static void
test_pending_kernel_is_paged_out(void **state)
{
    struct fixture *f = *state;
    expect_pending(f);
    winimg_page(&f->img, &f->old, 0, WINIMG_ALL_OUT, WINIMG_PAGE_FILE);
    expect_pending(f);
    run(f, &f->old, 15625);
    expect_alive(f, &f->old);
}

/* What is never paged out still has to be there. */
static void
test_kernel_that_was_found_and_is_gone(void **state)
{
    struct fixture *f = *state;
    const struct winimg_build *build = f->old.build;
    expect_pending(f);
    run(f, &f->old, 15625);
    expect_alive(f, &f->old);
    winimg_page(&f->img, &f->old, 0, WINIMG_ALL_OUT, WINIMG_PAGE_FILE);
    const struct {
        uint64_t gpa;
        uint64_t value;
    } changes[] = {
        {f->old.pointer_gpa, f->old.eprocess_gva[1]},
        {f->old.eprocess_gpa[0] + build->dtb, f->old.root_gpa + 0x1000},
        {f->old.eprocess_gpa[0] + build->pid, 8},
        {f->old.eprocess_gpa[0] + build->image_name, 0},
        {f->old.kuser_gpa + 0x26c, 7},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(changes); i++) {
        uint64_t was = guestimg_read_le64(&f->img, changes[i].gpa);
        guestimg_write_le64(&f->img, changes[i].gpa, changes[i].value);
        assert_int_equal(memctx_bootstrap_verify(f->bootstrap, f->map,
                                                 &f->request, &f->result,
                                                 &f->err),
                         -1);
        guestimg_write_le64(&f->img, changes[i].gpa, was);
        assert_done(memctx_bootstrap_verify(f->bootstrap, f->map, &f->request,
                                            &f->result, &f->err),
                    &f->err);
    }
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
        T(test_kernel_that_was_found_is_paged_out),
        T(test_pending_kernel_is_paged_out),
        T(test_old_kernel_beside_one_that_is_paged_out),
        T(test_old_kernel_that_is_paged_out),
        T(test_owner_of_the_clock_is_not_known),
        T(test_kernel_that_was_found_and_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
