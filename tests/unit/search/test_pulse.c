/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What counts as a kernel's clock that ticks, and what does not. */
#include "unit.h"

#include "guestimg.h"
#include "search/pulse.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (64 * MEMCTX_MIB)
#define ROOT (32 * MEMCTX_MIB)
#define AROUND (512 * MEMCTX_KIB) /* watched on either side of the root */
#define READS_MAX 17
#define CLOCK (ROOT + 0x10cc0) /* of jiffies_64 */
#define SECOND UINT64_C(1000000)

/* jiffies_64 at boot with HZ=250. */
#define BOOT (UINT64_C(0x100000000) - 300 * 250)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_kernel kernel;
    struct memctx_pulse *pulse;
    struct memctx_error err;
    uint64_t now_us;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    guestimg_init(&f->img, RAM, RAM);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    f->kernel.os = MEMCTX_OS_LINUX;
    f->kernel.kcr3 = ROOT;
    f->now_us = 1234 * SECOND;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_pulse_destroy(f->pulse);
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static void
begin(struct fixture *f)
{
    assert_done(
        memctx_pulse_create(f->map, &f->kernel, f->now_us, &f->pulse, &f->err),
        &f->err);
}

static bool
is_alive_after(struct fixture *f, uint64_t elapsed_us)
{
    bool alive = false;
    f->now_us += elapsed_us;
    assert_done(
        memctx_pulse_check(f->pulse, f->map, f->now_us, &alive, &f->err),
        &f->err);
    return alive;
}

/* Whether a word at `gpa` that goes from one value to another in a second is
 * taken for a clock. */
static bool
ticks(struct fixture *f, uint64_t gpa, uint64_t from, uint64_t to)
{
    memctx_pulse_destroy(f->pulse);
    guestimg_write_le64(&f->img, gpa, from);
    begin(f);
    guestimg_write_le64(&f->img, gpa, to);
    bool alive = is_alive_after(f, SECOND);
    guestimg_write_le64(&f->img, gpa, 0);
    return alive;
}

static void
test_clock_that_ticks(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, CLOCK, BOOT);
    begin(f);
    assert_false(is_alive_after(f, 0));
    guestimg_write_le64(&f->img, CLOCK, BOOT + 1);
    assert_true(is_alive_after(f, SECOND / 250));
}

static void
test_clock_that_stands_still(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, CLOCK, BOOT + 12345);
    begin(f);
    for (int i = 0; i < 100; i++)
        assert_false(is_alive_after(f, SECOND));
}

static void
test_once_alive_stays_alive(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, CLOCK, BOOT);
    begin(f);
    guestimg_write_le64(&f->img, CLOCK, BOOT + 250);
    assert_true(is_alive_after(f, SECOND));
    guestimg_punch(&f->img, ROOT, MEMCTX_MIB);
    assert_true(is_alive_after(f, SECOND));
}

static void
test_clock_of_a_kernel_up_for_a_year(void **state)
{
    struct fixture *f = *state;
    const uint64_t year = UINT64_C(365) * 24 * 3600 * 1000;
    assert_true(ticks(f, CLOCK, BOOT + year, BOOT + year + 1000));
}

static void
test_clock_that_goes_back(void **state)
{
    struct fixture *f = *state;
    assert_false(ticks(f, CLOCK, BOOT + 5, BOOT + 4));
    assert_false(ticks(f, CLOCK, BOOT + 5, 0));
}

/* A kernel without KASLR comes up where the old one was, and counts anew. */
static void
test_clock_that_begins_anew(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, CLOCK, BOOT + 1000000);
    begin(f);
    guestimg_write_le64(&f->img, CLOCK, BOOT + 10);
    assert_false(is_alive_after(f, SECOND));
    guestimg_write_le64(&f->img, CLOCK, BOOT + 20);
    assert_true(is_alive_after(f, 2 * SECOND));
}

/* An idle guest stops its tick; a guest that was held up catches up. */
static void
test_clock_that_catches_up(void **state)
{
    struct fixture *f = *state;
    assert_true(ticks(f, CLOCK, BOOT, BOOT + 61000));
}

/* Memory that is written over is no clock. */
static void
test_clock_that_leaps(void **state)
{
    struct fixture *f = *state;
    assert_false(ticks(f, CLOCK, BOOT, BOOT + 61001));
    assert_false(ticks(f, CLOCK, BOOT, UINT64_MAX));
}

static void
test_counters_that_are_no_clock(void **state)
{
    struct fixture *f = *state;
    assert_false(ticks(f, CLOCK, 1000, 1250));
    assert_false(ticks(f, CLOCK, UINT64_C(0x100000000) - 300001,
                       UINT64_C(0x100000000) - 300000));
    assert_false(ticks(f, CLOCK, UINT64_C(1) << 40, (UINT64_C(1) << 40) + 1));
    assert_false(ticks(f, CLOCK + 4, BOOT, BOOT + 250));
}

static void
test_clock_far_from_the_root(void **state)
{
    struct fixture *f = *state;
    assert_true(ticks(f, ROOT - AROUND, BOOT, BOOT + 250));
    assert_true(ticks(f, ROOT + AROUND - 8, BOOT, BOOT + 250));
    assert_false(ticks(f, ROOT - AROUND - 8, BOOT, BOOT + 250));
    assert_false(ticks(f, ROOT + AROUND, BOOT, BOOT + 250));
}

static void
test_root_at_the_ends_of_ram(void **state)
{
    struct fixture *f = *state;
    static const uint64_t roots[] = {0, PAGE, RAM - PAGE, RAM};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(roots); i++) {
        f->kernel.kcr3 = roots[i];
        uint64_t gpa =
            roots[i] < RAM / 2 ? roots[i] + 0x10000 : roots[i] - 0x20000;
        assert_true(ticks(f, gpa, BOOT, BOOT + 250));
    }
}

static void
test_more_clocks_than_are_watched(void **state)
{
    struct fixture *f = *state;
    for (uint64_t at = 0; at < 5000 * 8; at += 8)
        guestimg_write_le64(&f->img, ROOT + at, BOOT);
    begin(f);
    assert_false(is_alive_after(f, SECOND));
    guestimg_write_le64(&f->img, ROOT + 8, BOOT + 250);
    assert_true(is_alive_after(f, SECOND));
}

static void
test_cost_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct guestimg_faults *faults = guestimg_faults();
    uint64_t blocks = guestimg_blocks(&f->img);
    begin(f);
    assert_true(faults->reads <= READS_MAX);
    assert_int_equal(guestimg_blocks(&f->img), blocks);
}

static void
test_each_read_fails_once(void **state)
{
    struct fixture *f = *state;
    struct guestimg_faults *faults = guestimg_faults();
    bool alive;
    guestimg_write_le64(&f->img, CLOCK, BOOT);
    for (unsigned long n = 1; n <= READS_MAX; n++) {
        *faults = (struct guestimg_faults){.fail_from = n};
        assert_int_equal(
            memctx_pulse_create(f->map, &f->kernel, 0, &f->pulse, &f->err), -1);
        assert_error(&f->err, MEMCTX_RETRY, "Input/output error");
        assert_null(f->pulse);
    }
    faults->fail_from = 0;
    begin(f);
    *faults = (struct guestimg_faults){.fail_from = 1};
    assert_int_equal(
        memctx_pulse_check(f->pulse, f->map, f->now_us, &alive, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "Input/output error");
    faults->fail_from = 0;
    guestimg_write_le64(&f->img, CLOCK, BOOT + 250);
    assert_true(is_alive_after(f, SECOND));
}

static void
test_truncated_backing_is_gone(void **state)
{
    struct fixture *f = *state;
    bool alive;
    guestimg_write_le64(&f->img, CLOCK, BOOT);
    begin(f);
    guestimg_truncate(&f->img, ROOT);
    assert_int_equal(
        memctx_pulse_check(f->pulse, f->map, f->now_us, &alive, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "was truncated");
    struct memctx_pulse *none = NULL;
    assert_int_equal(
        memctx_pulse_create(f->map, &f->kernel, f->now_us, &none, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "was truncated");
    assert_null(none);
}

/* A second watch costs a read, whatever looked like a clock before. */
/* Many words that tick are no clock. Where the kernel puts its own is known. */
static void
test_likely_clock_is_among_few_words(void **state)
{
    struct fixture *f = *state;
    struct memctx_words words;
    unsigned likely = 0;
    for (unsigned i = 0; i < 20; i++)
        guestimg_write_le64(&f->img, ROOT + 8 + 16 * i, BOOT);
    guestimg_write_le64(&f->img, CLOCK, BOOT);
    begin(f);
    for (unsigned i = 0; i < 20; i++)
        guestimg_write_le64(&f->img, ROOT + 8 + 16 * i, BOOT + 250);
    guestimg_write_le64(&f->img, CLOCK, BOOT + 250);
    assert_true(is_alive_after(f, SECOND));
    memctx_pulse_words(f->pulse, &words);
    assert_int_equal(words.n, MEMCTX_WORDS_MAX);
    for (size_t i = 0; i < words.n; i++)
        likely += words.word[i].gpa == CLOCK;
    assert_int_equal(likely, 1);
}

static void
test_watch_that_begins_again(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, CLOCK, BOOT);
    guestimg_write_le64(&f->img, CLOCK - 64 * PAGE, BOOT);
    begin(f);
    guestimg_write_le64(&f->img, CLOCK, BOOT + 250);
    assert_true(is_alive_after(f, SECOND));
    guestimg_write_le64(&f->img, CLOCK, BOOT + 500);
    guestimg_faults()->reads = 0;
    assert_done(memctx_pulse_restart(f->pulse, f->map, f->now_us, &f->err),
                &f->err);
    assert_int_equal(guestimg_faults()->reads, 1);
    /* What was seen before counts no more, nor what never ticked. */
    guestimg_write_le64(&f->img, CLOCK - 64 * PAGE, BOOT + 1);
    assert_false(is_alive_after(f, SECOND));
    guestimg_write_le64(&f->img, CLOCK, BOOT + 501);
    assert_true(is_alive_after(f, SECOND));
}

static void
test_watch_that_cannot_begin_again(void **state)
{
    struct fixture *f = *state;
    guestimg_write_le64(&f->img, CLOCK, BOOT);
    begin(f);
    guestimg_faults()->fail_from = 1;
    assert_int_equal(memctx_pulse_restart(f->pulse, f->map, f->now_us, &f->err),
                     -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_clock_that_ticks),
        T(test_clock_that_stands_still),
        T(test_once_alive_stays_alive),
        T(test_clock_of_a_kernel_up_for_a_year),
        T(test_clock_that_goes_back),
        T(test_clock_that_begins_anew),
        T(test_clock_that_catches_up),
        T(test_clock_that_leaps),
        T(test_counters_that_are_no_clock),
        T(test_clock_far_from_the_root),
        T(test_root_at_the_ends_of_ram),
        T(test_more_clocks_than_are_watched),
        T(test_cost_is_bounded),
        T(test_each_read_fails_once),
        T(test_truncated_backing_is_gone),
        T(test_likely_clock_is_among_few_words),
        T(test_watch_that_begins_again),
        T(test_watch_that_cannot_begin_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
