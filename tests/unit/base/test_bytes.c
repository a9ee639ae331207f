/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Loads and sums of numbers from a guest, at their edges; and scope guards. */
#include "unit.h"

#include <fcntl.h>

#include "base/bytes.h"
#include "base/cleanup.h"

static void
test_loads_are_little_endian(void **state)
{
    (void)state;
    /* One byte in front: guest numbers need not be aligned. */
    static const unsigned char raw[] = {0xff, 0x88, 0x77, 0x66, 0x55,
                                        0xf4, 0xf3, 0xf2, 0xf1};
    assert_int_equal(memctx_le16(raw + 1), 0x7788);
    assert_int_equal(memctx_le32(raw + 1), 0x55667788);
    assert_true(memctx_le64(raw + 1) == UINT64_C(0xf1f2f3f455667788));
    assert_true(memctx_le32(raw + 5) == UINT32_C(0xf1f2f3f4));
}

static void
test_sum_that_does_not_fit(void **state)
{
    (void)state;
    uint64_t sum = 77;
    assert_false(memctx_add(UINT64_MAX, 1, &sum));
    assert_false(memctx_add(UINT64_C(1) << 63, UINT64_C(1) << 63, &sum));
    assert_int_equal(sum, 77);
    assert_true(memctx_add(UINT64_MAX - 1, 1, &sum));
    assert_true(sum == UINT64_MAX);
}

static void
test_product_that_does_not_fit(void **state)
{
    (void)state;
    uint64_t product = 77;
    assert_false(memctx_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &product));
    assert_false(memctx_mul(UINT64_MAX, 2, &product));
    assert_int_equal(product, 77);
    assert_true(memctx_mul(UINT64_MAX, 1, &product));
    assert_true(product == UINT64_MAX);
    assert_true(memctx_mul(UINT64_MAX, 0, &product));
    assert_int_equal(product, 0);
}

static void
test_range_that_leaves_or_wraps(void **state)
{
    (void)state;
    assert_true(memctx_range_in(10, 5, 10, 5));
    assert_true(memctx_range_in(15, 0, 10, 5));
    assert_true(memctx_range_in(12, 3, 10, 5));
    assert_false(memctx_range_in(12, 4, 10, 5));
    assert_false(memctx_range_in(9, 1, 10, 5));
    assert_false(memctx_range_in(16, 0, 10, 5));
    assert_false(memctx_range_in(12, UINT64_MAX, 10, 5));
    assert_false(memctx_range_in(UINT64_MAX, 2, 10, 5));
    assert_true(memctx_range_in(UINT64_MAX, 1, UINT64_MAX, 1));
    assert_true(memctx_range_in(0, UINT64_MAX, 0, UINT64_MAX));
}

static void
test_min_and_max(void **state)
{
    (void)state;
    assert_int_equal(memctx_min(1, 2), 1);
    assert_int_equal(memctx_min(2, 1), 1);
    assert_int_equal(memctx_max(1, 2), 2);
    assert_true(memctx_max(UINT64_MAX, 0) == UINT64_MAX);
}

static void
test_round_up(void **state)
{
    (void)state;
    assert_int_equal(memctx_round_up(0, 4096), 0);
    assert_int_equal(memctx_round_up(1, 4096), 4096);
    assert_int_equal(memctx_round_up(4096, 4096), 4096);
    assert_int_equal(memctx_round_up(4097, 3), 4098);
    assert_true(memctx_round_up(UINT64_MAX, 1) == UINT64_MAX);
}

static int
open_and_keep(int *kept)
{
    MEMCTX_CLEANUP(memctx_cleanup_fd) int dropped = open("/", O_RDONLY);
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = open("/", O_RDONLY);
    MEMCTX_CLEANUP(memctx_cleanup_fd) int none = -1;
    (void)none;
    *kept = memctx_steal_fd(&fd);
    assert_int_equal(fd, -1);
    return dropped;
}

static void
test_guard_closes_what_was_not_stolen(void **state)
{
    (void)state;
    int kept;
    int dropped = open_and_keep(&kept);
    assert_int_equal(fcntl(dropped, F_GETFD), -1);
    assert_int_not_equal(fcntl(kept, F_GETFD), -1);
    close(kept);
}

static char *
keep_one_of_two(void)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *dropped = malloc(1);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *kept = strdup("kept");
    (void)dropped;
    char *stolen = memctx_steal_ptr(&kept);
    assert_null(kept);
    return stolen;
}

static void
test_descriptor_is_closed_once(void **state)
{
    (void)state;
    int fd = open("/", O_RDONLY);
    int copy = fd;
    memctx_close_fd(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(fcntl(copy, F_GETFD), -1);
    /* The number may be somebody else's by now. */
    int next = open("/", O_RDONLY);
    assert_int_equal(next, copy);
    memctx_close_fd(&fd);
    assert_int_not_equal(fcntl(next, F_GETFD), -1);
    close(next);
}

/* The leak, if there is one, is seen by ASan and valgrind. */
static void
test_guard_frees_what_was_not_stolen(void **state)
{
    (void)state;
    char *kept = keep_one_of_two();
    assert_string_equal(kept, "kept");
    free(kept);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_loads_are_little_endian),
        T(test_sum_that_does_not_fit),
        T(test_product_that_does_not_fit),
        T(test_range_that_leaves_or_wraps),
        T(test_min_and_max),
        T(test_round_up),
        T(test_guard_closes_what_was_not_stolen),
        T(test_descriptor_is_closed_once),
        T(test_guard_frees_what_was_not_stolen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
