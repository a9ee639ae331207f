/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which words of a Linux kernel are taken for its clock. */
#include "unit.h"

#include "guestimg.h"
#include "guest/linux/clock.h"

#define RAM (64 * MEMCTX_MIB)
#define ROOT (32 * MEMCTX_MIB)
#define BOOT (UINT64_C(0x100000000) - 300 * 250)
#define YEAR (UINT64_C(365) * 24 * 3600 * 1000)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_kernel kernel;
    struct memctx_clocks clocks;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    guestimg_init(&f->img, RAM, RAM);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    f->kernel.kcr3 = ROOT;
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

static int
collect(struct fixture *f)
{
    return memctx_linux_clocks(f->map, &f->kernel, &f->clocks, &f->err);
}

static void
test_each_clock_with_its_value(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, ROOT + 0x10cc0, BOOT);
    guestimg_write_le64(&f->img, ROOT - 0x20008, BOOT + YEAR);
    assert_done(collect(f), &f->err);
    assert_int_equal(f->clocks.n, 2);
    assert_int_equal(f->clocks.per_second, 1000);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(f->clocks.clock[i].value,
                         guestimg_read_le64(&f->img, f->clocks.clock[i].gpa));
}

static void
test_what_is_no_clock(void **state)
{
    struct fixture *f = *state;
    static const uint64_t values[] = {1000, UINT64_C(0x100000000) - 300001,
                                      UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(values); i++)
        guestimg_write_le64(&f->img, ROOT + 8 * i, values[i]);
    guestimg_write_le64(&f->img, ROOT + 0x104, BOOT); /* not aligned */
    guestimg_write_le64(&f->img, ROOT + 512 * MEMCTX_KIB, BOOT); /* too far */
    assert_done(collect(f), &f->err);
    assert_int_equal(f->clocks.n, 0);
}

static void
test_no_more_than_there_is_room_for(void **state)
{
    struct fixture *f = *state;
    for (uint64_t at = 0; at < 64 * MEMCTX_KIB; at += 8)
        guestimg_write_le64(&f->img, ROOT + at, BOOT);
    assert_done(collect(f), &f->err);
    assert_int_equal(f->clocks.n, MEMCTX_CLOCKS_MAX);
    assert_true(guestimg_faults()->reads <= 20);
}

/* i386: .data is far below the root, which is in .bss. */
static void
test_clock_in_data_below_the_root_of_i386(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, ROOT - 2300 * MEMCTX_KIB, BOOT);
    assert_done(collect(f), &f->err);
    assert_int_equal(f->clocks.n, 0);
    for (int pae = 0; pae <= 1; pae++) {
        f->kernel.paging =
            pae ? MEMCTX_PAGING_X86_PAE : MEMCTX_PAGING_X86_2LEVEL;
        assert_done(collect(f), &f->err);
        assert_int_equal(f->clocks.n, 1);
        assert_int_equal(f->clocks.clock[0].gpa, ROOT - 2300 * MEMCTX_KIB);
    }
}

/* A pointer and a small number in two words of 32 bits: there are thousands. */
static void
test_pairs_that_look_like_an_old_clock_leave_room(void **state)
{
    struct fixture *f = *state;
    f->kernel.paging = MEMCTX_PAGING_X86_2LEVEL;
    for (uint64_t at = 0; at < 64 * MEMCTX_KIB; at += 8)
        guestimg_write_le64(&f->img, ROOT + at, UINT64_C(0x5c1234560));
    guestimg_write_le64(&f->img, ROOT - MEMCTX_MIB, BOOT);
    assert_done(collect(f), &f->err);
    assert_int_equal(f->clocks.n, MEMCTX_CLOCKS_MAX);
    assert_int_equal(f->clocks.clock[0].gpa, ROOT - MEMCTX_MIB);
    /* Behind it the nearest ones, in order of their addresses. */
    for (uint64_t i = 1; i < MEMCTX_CLOCKS_MAX; i++)
        assert_int_equal(f->clocks.clock[i].gpa, ROOT + 8 * (i - 1));
}

static void
test_read_error(void **state)
{
    struct fixture *f = *state;
    guestimg_faults()->fail_from = 3;
    assert_int_equal(collect(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "Input/output error");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_each_clock_with_its_value),
        T(test_what_is_no_clock),
        T(test_no_more_than_there_is_room_for),
        T(test_clock_in_data_below_the_root_of_i386),
        T(test_pairs_that_look_like_an_old_clock_leave_room),
        T(test_read_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
