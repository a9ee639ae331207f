/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Logs that tell of a panic, and those that only look as if. */
#include "unit.h"

#include "charged.h"
#include "explain/lastwords.h"
#include "explain/printk.h"
#include "logimg.h"

#define ROOT (2 * MEMCTX_MIB)
#define LOG_GPA (8 * MEMCTX_MIB)
#define LOG_GVA UINT64_C(0xffffffff83000000)

#define EMERGENCY 0u
#define NOTICE 5u
#define OF_A_USER 8u /* LOG_USER */

#define BEGIN "Kernel panic - not syncing: sysrq triggered crash"
#define END "---[ end " BEGIN " ]---"

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_work work;
    struct memctx_kernel kernel;
    struct memctx_target target;
    struct logimg log;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    const struct guestimg_space space = {ROOT, 4};
    guestimg_init(&f->img, 32 * MEMCTX_MIB, 32 * MEMCTX_MIB);
    guestimg_map_range(&f->img, &space, LOG_GVA, LOG_GPA, LOGIMG_SIZE,
                       MEMCTX_PAGE_SIZE, MEMCTX_PTE_PRESENT);
    f->map = guestimg_rammap(&f->img, NULL);
    charge_map(&f->map, &f->work, MEMCTX_PRINTK_STEPS);
    f->kernel.kcr3 = ROOT;
    f->kernel.paging = MEMCTX_PAGING_X86_64_4LEVEL;
    f->log = logimg(&f->img, LOG_GPA, LOG_GVA, 8, 11, 17);
    memctx_target_init(&f->target, f->map, &f->kernel, f->log.note,
                       strlen(f->log.note));
    logimg_add(&f->log, NOTICE, 0, "Linux version 6.1.0");
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
panicked(struct fixture *f)
{
    bool ret;
    assert_done(memctx_lastwords_read(&f->target, &ret, &f->err), &f->err);
    return ret;
}

static void
add_many(struct fixture *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        logimg_add(&f->log, NOTICE, i, "a line of a stack");
}

static void
test_kernel_that_runs(void **state)
{
    struct fixture *f = *state;
    add_many(f, 20);
    assert_false(panicked(f));
}

static void
test_panic_by_its_first_line(void **state)
{
    struct fixture *f = *state;
    logimg_add(&f->log, EMERGENCY, 1, BEGIN);
    assert_true(panicked(f));
    add_many(f, 20);
    assert_true(panicked(f));
}

/* However much it says of its CPUs in between. */
static void
test_panic_by_its_last_line(void **state)
{
    struct fixture *f = *state;
    logimg_add(&f->log, EMERGENCY, 1, BEGIN);
    add_many(f, 1500);
    logimg_add(&f->log, EMERGENCY, 1, END);
    assert_true(panicked(f));
}

/* Whoever may write to /dev/kmsg can say all but that it is the kernel. */
static void
test_panic_that_a_user_wrote(void **state)
{
    struct fixture *f = *state;
    logimg_add(&f->log, OF_A_USER | EMERGENCY, 1, BEGIN);
    logimg_add(&f->log, OF_A_USER | EMERGENCY, 1, END);
    assert_false(panicked(f));
}

static void
test_panic_that_somebody_speaks_of(void **state)
{
    struct fixture *f = *state;
    logimg_add(&f->log, EMERGENCY, 1, "before us: " BEGIN);
    logimg_add(&f->log, NOTICE, 1, BEGIN);
    logimg_add(&f->log, EMERGENCY, 1, "Kernel panic - not");
    assert_false(panicked(f));
}

/* A kernel may find the log of the one before. */
static void
test_panic_of_an_earlier_boot(void **state)
{
    struct fixture *f = *state;
    logimg_add(&f->log, EMERGENCY, 1, BEGIN);
    logimg_add(&f->log, EMERGENCY, 1, END);
    logimg_add(&f->log, NOTICE, 0, "Linux version 6.1.0");
    add_many(f, 3);
    assert_false(panicked(f));
    logimg_add(&f->log, EMERGENCY, 1, BEGIN);
    assert_true(panicked(f));
}

static void
test_kernel_without_a_log(void **state)
{
    struct fixture *f = *state;
    bool ret = true;
    memctx_target_init(&f->target, f->map, &f->kernel, NULL, 0);
    assert_int_equal(memctx_lastwords_read(&f->target, &ret, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_PERMANENT);
    assert_true(ret);
}

static void
test_log_that_takes_too_much(void **state)
{
    struct fixture *f = *state;
    bool ret = true;
    add_many(f, 1000);
    logimg_add(&f->log, EMERGENCY, 1, BEGIN);
    memctx_work_begin(&f->work, 20, NULL, NULL);
    assert_int_equal(memctx_lastwords_read(&f->target, &ret, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
    memctx_work_begin(&f->work, 2000, NULL, NULL);
    assert_true(panicked(f));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_kernel_that_runs),
        T(test_panic_by_its_first_line),
        T(test_panic_by_its_last_line),
        T(test_panic_that_a_user_wrote),
        T(test_panic_that_somebody_speaks_of),
        T(test_panic_of_an_earlier_boot),
        T(test_kernel_without_a_log),
        T(test_log_that_takes_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
