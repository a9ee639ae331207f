/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Windows on aarch64: one page is the root for both halves of the addresses. */
#include "unit.h"

#include "guest/guest.h"
#include "search/bootstrap.h"
#include "winprobe.h"

#define RAM (64 * MEMCTX_MIB)
#define BASE MEMCTX_GIB
#define SECOND UINT64_C(1000000)
#define ARM MEMCTX_PAGING_AARCH64_4K_47

static void
make_ram(struct winprobe *f)
{
    guestimg_init_at(&f->img, RAM, BASE);
    winprobe_begin(f);
    f->want = winimg(26100, ARM);
}

static int
setup(void **state)
{
    struct winprobe *f = test_calloc(1, sizeof(*f));
    make_ram(f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct winprobe *f = *state;
    winprobe_end(f);
    test_free(f);
    return 0;
}

static void
expect_right(struct winprobe *f)
{
    winprobe_assert_found(f);
    winprobe_assert_offsets(f);
    assert_int_equal(f->kernel->windows_facts.offsets.user_dtb, 0);
    assert_string_equal(f->kernel->identity, WINIMG_IDENTITY);
    winprobe_assert_processes(f);
}

/* Where public logs have seen root, self map and image. */
static void
test_layouts(void **state)
{
    struct winprobe *f = *state;
    static const struct {
        unsigned build;
        uint64_t root_gpa;
        uint64_t base_gva;
        unsigned self_index;
        bool large_pages;
    } layouts[] = {
        {22621, 0xa9800, UINT64_C(0xfffff800dfc00000), 0x1ec, true},
        {26100, 0x8ef800, UINT64_C(0xfffff8005c800000), 0x105, true},
        {26100, 0x3c01800, UINT64_C(0xfffff80479217000), 0x1ff, false},
    };
    for (size_t i = 0; i < 2 * MEMCTX_ARRAY_LEN(layouts); i++) {
        winprobe_end(f);
        make_ram(f);
        f->want = winimg(layouts[i / 2].build, ARM);
        f->want.root_gpa = BASE + layouts[i / 2].root_gpa;
        f->want.base_gva = layouts[i / 2].base_gva;
        f->want.self_index = layouts[i / 2].self_index;
        f->want.large_pages = layouts[i / 2].large_pages;
        f->want.user_half = i % 2 == 0;
        winimg_write(&f->img, &f->want);
        expect_right(f);
        assert_string_equal(f->kernel->checks,
                            "top-level,self-map,kuser,ntoskrnl,system-process");
        assert_string_equal(f->kernel->found, "self-map");
    }
}

static void
test_getters_of_other_shapes(void **state)
{
    struct winprobe *f = *state;
    for (int code = 0; code < WINIMG_CODES; code++) {
        bool known = code <= WINIMG_CODE_THUNK;
        f->want.code = (enum winimg_code)code;
        winimg_write(&f->img, &f->want);
        assert_done(winprobe_try(f), &f->err);
        winprobe_assert_kernel(f, f->kernel);
        assert_int_equal(f->kernel->windows_facts.offsets.pid,
                         known ? f->want.build->pid : 0);
        assert_int_equal(f->kernel->windows_facts.offsets.image_name,
                         known ? f->want.build->image_name : 0);
    }
}

static void
test_stages_of_a_boot(void **state)
{
    struct winprobe *f = *state;
    f->want.stage = WINIMG_LOADER;
    winimg_write(&f->img, &f->want);
    assert_int_equal(winprobe_try(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "check kuser: KUSER_SHARED_DATA");
    f->want.stage = WINIMG_KERNEL;
    winimg_write(&f->img, &f->want);
    assert_int_equal(winprobe_try(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "PsInitialSystemProcess is 0");
    f->want.stage = WINIMG_READY;
    winimg_write(&f->img, &f->want);
    expect_right(f);
}

/* An image for another processor is none. */
static void
test_image_of_another_machine(void **state)
{
    struct winprobe *f = *state;
    winimg_write(&f->img, &f->want);
    guestimg_write_le64(&f->img, f->want.image_gpa + 0xf0,
                        UINT64_C(0x866400004550));
    guestimg_write_le64(&f->img, f->want.image_gpa + WINIMG_EDATA, 1);
    assert_int_equal(winprobe_try(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no PE header of this machine");
}

/* Only processes are clues: they lead to the root of System. */
static void
test_roots_of_other_processes(void **state)
{
    struct winprobe *f = *state;
    struct memctx_session session = {.map = f->map};
    struct memctx_kernel kernel;
    winimg_write(&f->img, &f->want);
    assert_done(memctx_windows_ops.verify(&session, f->want.dtb_gpa[1], &kernel,
                                          &f->err),
                &f->err);
    winprobe_assert_kernel(f, &kernel);
    assert_true(kernel.clue_gpa == f->want.dtb_gpa[0]);
}

/* A file of RAM does not say where it begins. */
static void
test_ram_that_begins_elsewhere(void **state)
{
    struct winprobe *f = *state;
    winimg_write(&f->img, &f->want);
    memctx_rammap_destroy(f->map);
    f->img.base_gpa = 0;
    f->map = guestimg_rammap(&f->img, NULL);
    assert_int_equal(winprobe_try(f), -1);
    assert_true(f->result.ram_gpa == BASE);
}

/* What an agent sees of it: the clock that moves, and then only what stays. */
static void
test_agent(void **state)
{
    struct winprobe *f = *state;
    struct memctx_bootstrap_request request = {.now_us = 1234 * SECOND};
    struct memctx_bootstrap_result result;
    struct memctx_bootstrap *bootstrap;
    int failed = -1;
    f->want.large_pages = false;
    winimg_write(&f->img, &f->want);
    assert_done(memctx_bootstrap_create(&bootstrap, &f->err), &f->err);
    for (int i = 0; i < 5 && failed < 0; i++) {
        failed =
            memctx_bootstrap_try(bootstrap, f->map, &request, &result, &f->err);
        winimg_tick(&f->img, &f->want, 10 * SECOND);
        request.now_us += SECOND;
    }
    assert_done(failed, &f->err);
    winprobe_assert_kernel(f, &result.kernel);
    assert_true(result.alive);
    winimg_page(&f->img, &f->want, 0, WINIMG_ALL_OUT, WINIMG_PAGE_FILE);
    assert_done(
        memctx_bootstrap_verify(bootstrap, f->map, &request, &result, &f->err),
        &f->err);
    guestimg_write_le64(&f->img, f->want.eprocess_gpa[0] + 0x28, 0x40001000);
    assert_int_equal(
        memctx_bootstrap_verify(bootstrap, f->map, &request, &result, &f->err),
        -1);
    memctx_bootstrap_destroy(bootstrap);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_layouts),
        T(test_getters_of_other_shapes),
        T(test_stages_of_a_boot),
        T(test_image_of_another_machine),
        T(test_roots_of_other_processes),
        T(test_ram_that_begins_elsewhere),
        T(test_agent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
