/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which of the kernels in RAM is taken: the one that runs. */
#include "unit.h"

#include "charged.h"
#include "search/bootstrap.h"
#include "guestimg.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (256 * MEMCTX_MIB)
#define SECOND UINT64_C(1000000)
#define BOOT (UINT64_C(0x100000000) - 300 * 250)
#define CLOCK_BEHIND_ROOT 0x10cc0

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_bootstrap *bootstrap;
    struct memctx_bootstrap_request request;
    struct memctx_bootstrap_result result;
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

/* The n-th kernel of up to 9, with a clock that has just been started. */
static struct guestimg_kernel
add_kernel(struct fixture *f, unsigned n)
{
    static const char *const releases[] = {"6.0", "6.1", "6.2", "6.3", "6.4",
                                           "6.5", "6.6", "6.7", "6.8"};
    struct guestimg_kernel kernel = guestimg_kernel();
    kernel.release = releases[n];
    kernel.text_gpa = (32 + 24 * n) * MEMCTX_MIB;
    kernel.bare_gpa = 0;
    kernel.note_gpa = kernel.text_gpa + 16 * MEMCTX_MIB;
    kernel.trampoline_gpa = 0;
    guestimg_add_kernel(&f->img, &kernel);
    guestimg_write_le64(&f->img, kernel.root_gpa + CLOCK_BEHIND_ROOT, BOOT);
    return kernel;
}

/* A second passes, for this kernel too. */
static void
run_second(struct fixture *f, const struct guestimg_kernel *kernel)
{
    uint64_t clock = kernel->root_gpa + CLOCK_BEHIND_ROOT;
    guestimg_write_le64(&f->img, clock,
                        guestimg_read_le64(&f->img, clock) + 250);
    f->request.now_us += SECOND;
}

static int
try_once(struct fixture *f)
{
    return memctx_bootstrap_try(f->bootstrap, f->map, &f->request, &f->result,
                                &f->err);
}

static void
expect_pending(struct fixture *f, const struct guestimg_kernel *kernel)
{
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "has not been seen running yet");
    assert_true(f->result.pending);
    assert_false(f->result.alive);
    assert_int_equal(f->result.kernel.kcr3, kernel->root_gpa);
}

static void
expect_alive(struct fixture *f, const struct guestimg_kernel *kernel)
{
    assert_done(try_once(f), &f->err);
    assert_true(f->result.alive);
    assert_false(f->result.pending);
    assert_int_equal(f->result.kernel.kcr3, kernel->root_gpa);
}

static void
test_empty_ram(void **state)
{
    struct fixture *f = *state;
    for (int cold = 0; cold <= 1; cold++) {
        f->request.cold = cold;
        assert_int_equal(try_once(f), -1);
        assert_error(&f->err, MEMCTX_RETRY, "no VMCOREINFO");
        assert_false(f->result.pending);
        assert_int_equal(f->result.candidates, 0);
    }
}

static void
test_kernel_after_a_cold_start_is_taken_at_once(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    f->request.cold = true;
    assert_done(try_once(f), &f->err);
    assert_int_equal(f->result.kernel.kcr3, kernel.root_gpa);
    assert_false(f->result.alive);
    assert_int_equal(f->result.candidates, 1);
}

static void
test_kernel_is_pending_until_its_clock_ticks(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    expect_pending(f, &kernel);
    expect_pending(f, &kernel);
    run_second(f, &kernel);
    expect_alive(f, &kernel);
    assert_int_equal(f->result.candidates, 1);
}

/* What a reset leaves behind passes every static check. */
static void
test_dead_kernel_is_never_taken(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    for (int i = 0; i < 100; i++) {
        expect_pending(f, &kernel);
        f->request.now_us += SECOND;
    }
}

/* After memory was plugged in: the kernel that ran before is believed, another
 * has to be seen running. */
static void
test_kernel_that_is_known_to_run(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    expect_pending(f, &kernel);
    struct memctx_kernel known = f->result.kernel;
    struct memctx_kernel other = known;
    other.kcr3 += MEMCTX_PAGE_SIZE;
    f->request.known = &other;
    expect_pending(f, &kernel);
    f->request.known = &known;
    expect_alive(f, &kernel);
}

static void
test_running_kernel_beside_a_dead_one(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel dead = add_kernel(f, 0);
    expect_pending(f, &dead);
    struct guestimg_kernel kernel = add_kernel(f, 1);
    assert_int_equal(try_once(f), -1);
    assert_int_equal(f->result.candidates, 2);
    run_second(f, &kernel);
    expect_alive(f, &kernel);
}

/* QEMU does not clear RAM at a reset, and KASLR puts each kernel elsewhere. */
static void
test_running_kernel_beside_many_dead_ones(void **state)
{
    struct fixture *f = *state;
    for (unsigned n = 0; n < 6; n++)
        add_kernel(f, n);
    for (int i = 0; i < 3; i++)
        assert_int_equal(try_once(f), -1);
    struct guestimg_kernel kernel = add_kernel(f, 6);
    int result = -1;
    for (int i = 0; i < 10 && result < 0; i++) {
        result = try_once(f);
        run_second(f, &kernel);
    }
    assert_done(result, &f->err);
    assert_int_equal(f->result.kernel.kcr3, kernel.root_gpa);
}

/* Between two tries the old kernel went and another came to its place. */
static void
test_watch_ends_when_the_kernel_fails_its_checks(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    expect_pending(f, &kernel);
    guestimg_write(&f->img, kernel.uts_gpa, "Xinux", 5);
    assert_int_equal(try_once(f), -1);
    assert_false(f->result.pending);
    guestimg_write(&f->img, kernel.uts_gpa, "Linux", 5);
    run_second(f, &kernel);
    expect_pending(f, &kernel);
    run_second(f, &kernel);
    expect_alive(f, &kernel);
}

static void
test_new_boot_forgets_signs_of_life(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    expect_pending(f, &kernel);
    run_second(f, &kernel);
    expect_alive(f, &kernel);
    memctx_bootstrap_new_boot(f->bootstrap);
    expect_pending(f, &kernel);
    f->request.now_us += SECOND;
    expect_pending(f, &kernel);
}

static void
test_paused_guest_with_one_kernel(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    f->request.paused = true;
    assert_done(try_once(f), &f->err);
    assert_int_equal(f->result.kernel.kcr3, kernel.root_gpa);
    assert_false(f->result.alive);
    assert_int_equal(f->result.candidates, 1);
}

static void
test_paused_guest_with_two_kernels(void **state)
{
    struct fixture *f = *state;
    add_kernel(f, 0);
    add_kernel(f, 1);
    f->request.paused = true;
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "2 kernels in RAM, and a paused guest");
    assert_int_equal(f->result.candidates, 2);
    assert_false(f->result.pending);
}

static void
test_try_without_work_ends(void **state)
{
    struct fixture *f = *state;
    struct memctx_work work;
    add_kernel(f, 0);
    charge_map(&f->map, &work, 0);
    f->request.cold = true;
    assert_int_equal(try_once(f), -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
    assert_int_equal(f->result.bytes_read, 0);
}

static void
test_truncated_backing_is_gone(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    expect_pending(f, &kernel);
    guestimg_truncate(&f->img, PAGE);
    assert_int_equal(try_once(f), -1);
    assert_error(&f->err, MEMCTX_GONE, "was truncated");
    assert_false(f->result.pending);
}

static void
test_destroy_of_nothing(void **state)
{
    (void)state;
    memctx_bootstrap_destroy(NULL);
}

static int
verify(struct fixture *f)
{
    return memctx_bootstrap_verify(f->bootstrap, f->map, &f->request,
                                   &f->result, &f->err);
}

static int
watch(struct fixture *f)
{
    return memctx_bootstrap_watch(f->bootstrap, f->map, &f->request, &f->result,
                                  &f->err);
}

static struct memctx_words
words(struct fixture *f)
{
    struct memctx_words ret;
    assert_done(memctx_bootstrap_words(f->bootstrap, f->map, f->request.now_us,
                                       &ret, &f->err),
                &f->err);
    return ret;
}

static struct guestimg_kernel
found_kernel(struct fixture *f)
{
    struct guestimg_kernel kernel = add_kernel(f, 0);
    f->request.cold = true;
    assert_done(try_once(f), &f->err);
    f->request.cold = false;
    return kernel;
}

static void
test_watch_takes_what_ticks(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel dead = add_kernel(f, 0);
    struct guestimg_kernel kernel = add_kernel(f, 1);
    assert_int_equal(try_once(f), -1);
    for (unsigned i = 0; i < 3; i++) {
        f->request.now_us += SECOND;
        assert_int_equal(watch(f), -1);
        assert_error(&f->err, MEMCTX_RETRY, "not been seen running");
        assert_true(f->result.pending);
        assert_int_equal(f->result.kernel.kcr3, dead.root_gpa);
    }
    run_second(f, &kernel);
    assert_done(watch(f), &f->err);
    assert_true(f->result.alive);
    assert_int_equal(f->result.candidates, 2);
    assert_int_equal(f->result.kernel.kcr3, kernel.root_gpa);
    assert_int_equal(words(f).n, 1);
    assert_done(verify(f), &f->err);
}

/* The clock is one of a kernel that has taken the memory over since. */
static void
test_watch_proves_what_ticks(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    assert_int_equal(try_once(f), -1);
    guestimg_punch(&f->img, kernel.root_gpa, PAGE);
    run_second(f, &kernel);
    assert_int_equal(watch(f), -1);
    assert_true(f->result.pending);
}

static void
test_watch_of_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(watch(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no kernel is pending");
    assert_false(f->result.pending);
    guestimg_truncate(&f->img, MEMCTX_MIB);
    assert_int_equal(watch(f), -1);
    assert_error(&f->err, MEMCTX_GONE, "truncated");
}

static void
test_words_are_those_that_tick(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = found_kernel(f);
    guestimg_write_le64(&f->img, kernel.root_gpa + CLOCK_BEHIND_ROOT + 64,
                        BOOT); /* looks like one */
    assert_int_equal(words(f).n, 0);
    run_second(f, &kernel);
    struct memctx_words found = words(f);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.word[0].gpa, kernel.root_gpa + CLOCK_BEHIND_ROOT);
    assert_int_equal(found.word[0].value, BOOT + 250);
    assert_int_equal(found.per_second, 1000);
    assert_true(found.least <= BOOT);
}

static void
test_words_before_anything_was_found(void **state)
{
    struct fixture *f = *state;
    struct memctx_words ret;
    assert_int_equal(
        memctx_bootstrap_words(f->bootstrap, f->map, SECOND, &ret, &f->err),
        -1);
    assert_error(&f->err, MEMCTX_RETRY, "no kernel has been found");
}

static void
test_verify_what_stands_there(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = found_kernel(f);
    assert_done(verify(f), &f->err);
    assert_int_equal(f->result.kernel.kcr3, kernel.root_gpa);
    assert_false(f->result.alive);
}

static void
test_verify_another_kernel_in_its_place(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel other = found_kernel(f);
    other.release = "6.9";
    guestimg_add_kernel(&f->img, &other);
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "has taken the place of 6.0");
}

static void
test_verify_a_kernel_that_was_overwritten(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = found_kernel(f);
    guestimg_punch(&f->img, kernel.root_gpa, PAGE);
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "check self-map");
}

/* The note of a boot before that had all in the same place: its page is used
 * for something else in time, and the kernel's own note leads to it. */
static void
test_verify_a_kernel_whose_clue_is_gone(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = found_kernel(f);
    uint64_t old_gpa = kernel.note_gpa;
    kernel.note_gpa = 200 * MEMCTX_MIB;
    guestimg_add_kernel(&f->img, &kernel);
    guestimg_punch(&f->img, old_gpa, PAGE);
    assert_done(verify(f), &f->err);
    assert_int_equal(f->result.kernel.clue_gpa, kernel.note_gpa);
    guestimg_punch(&f->img, kernel.note_gpa, PAGE);
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no VMCOREINFO");
}

static void
test_verify_before_anything_was_found(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no kernel has been found");
    found_kernel(f);
    memctx_bootstrap_new_boot(f->bootstrap);
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no kernel has been found");
}

/* As a prober that is started to look at what another one has found. */
static void
test_adopted_kernel_is_as_good_as_found(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = found_kernel(f);
    const struct memctx_kernel adopted = f->result.kernel;
    memctx_bootstrap_destroy(f->bootstrap);
    assert_done(memctx_bootstrap_create(&f->bootstrap, &f->err), &f->err);
    memctx_bootstrap_adopt(f->bootstrap, &adopted);
    assert_done(verify(f), &f->err);
    assert_int_equal(words(f).n, 0);
    run_second(f, &kernel);
    assert_int_equal(words(f).n, 1);
    /* Its clue is looked at before any RAM is. */
    f->request.budget_bytes = PAGE;
    expect_alive(f, &kernel);
}

/* The clocks that were noted serve the search that follows. */
static void
test_search_beside_words_finds_the_kernel_that_runs(void **state)
{
    struct fixture *f = *state;
    found_kernel(f);
    words(f);
    struct guestimg_kernel next = add_kernel(f, 1);
    assert_int_equal(try_once(f), -1);
    assert_true(f->result.pending);
    run_second(f, &next);
    assert_done(try_once(f), &f->err);
    assert_int_equal(f->result.kernel.kcr3, next.root_gpa);
}

/* A kexec, then a pause and a resume: what was seen before the pause is no
 * proof an hour later. */
static void
test_proof_serves_one_search(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel kernel = add_kernel(f, 0);
    assert_int_equal(try_once(f), -1);
    run_second(f, &kernel);
    assert_done(try_once(f), &f->err);
    run_second(f, &kernel);
    f->request.now_us += 3600 * SECOND;
    assert_int_equal(try_once(f), -1);
    assert_true(f->result.pending);
    run_second(f, &kernel);
    assert_done(try_once(f), &f->err);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_empty_ram),
        T(test_kernel_after_a_cold_start_is_taken_at_once),
        T(test_kernel_is_pending_until_its_clock_ticks),
        T(test_dead_kernel_is_never_taken),
        T(test_kernel_that_is_known_to_run),
        T(test_running_kernel_beside_a_dead_one),
        T(test_running_kernel_beside_many_dead_ones),
        T(test_watch_ends_when_the_kernel_fails_its_checks),
        T(test_new_boot_forgets_signs_of_life),
        T(test_paused_guest_with_one_kernel),
        T(test_paused_guest_with_two_kernels),
        T(test_try_without_work_ends),
        T(test_truncated_backing_is_gone),
        T(test_destroy_of_nothing),
        T(test_watch_takes_what_ticks),
        T(test_watch_proves_what_ticks),
        T(test_watch_of_nothing),
        T(test_words_are_those_that_tick),
        T(test_words_before_anything_was_found),
        T(test_verify_what_stands_there),
        T(test_verify_another_kernel_in_its_place),
        T(test_verify_a_kernel_that_was_overwritten),
        T(test_verify_a_kernel_whose_clue_is_gone),
        T(test_verify_before_anything_was_found),
        T(test_adopted_kernel_is_as_good_as_found),
        T(test_search_beside_words_finds_the_kernel_that_runs),
        T(test_proof_serves_one_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
