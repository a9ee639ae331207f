/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The synthetic kernel of --stub: the search finds it, wherever it is put. */
#include "unit.h"

#include "base/bytes.h"
#include "guest/linux/stub.h"
#include "guestimg.h"
#include "search/search.h"

#define RAM (64 * MEMCTX_MIB)

/* Puts pages into a guest, and fails when `left` are put. */
struct target {
    struct guestimg img;
    unsigned left;
    unsigned n;
};

static int
put(void *arg, uint64_t gpa, const void *bytes, size_t len_bytes)
{
    struct target *target = arg;
    if (target->n == target->left)
        return -1;
    target->n++;
    guestimg_write(&target->img, gpa, bytes, len_bytes);
    return 0;
}

static void
test_stub_is_found(void **state)
{
    const uint64_t places[] = {2 * MEMCTX_MIB, 34 * MEMCTX_MIB,
                               RAM - 2 * MEMCTX_MIB};
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(places); i++) {
        struct target target = {.left = 100};
        struct memctx_error err = MEMCTX_ERROR_INIT;
        struct memctx_search *search;
        struct memctx_search_result result;
        const struct memctx_search_request request = {.all = true};
        guestimg_init(&target.img, RAM, RAM);
        assert_int_equal(memctx_linux_stub_put(places[i], put, &target), 0);
        struct memctx_rammap *map = guestimg_rammap(&target.img, NULL);
        assert_done(memctx_search_create(&search, &err), &err);
        assert_done(memctx_search_try(search, map, &request, &result, &err),
                    &err);
        assert_int_equal(result.n_kernels, 1);
        assert_string_equal(result.kernels[0].version, "0.0.0-memctx-stub");
        assert_true(memctx_range_in(result.kernels[0].kcr3, MEMCTX_PAGE_SIZE,
                                    places[i], 2 * MEMCTX_MIB));
        memctx_search_destroy(search);
        memctx_rammap_destroy(map);
        guestimg_deinit(&target.img);
    }
}

/* Whichever of the writes fails, it is told, and the last one was tried. */
static void
test_failure_to_put_is_told(void **state)
{
    struct target target = {.left = 0};
    (void)state;
    guestimg_init(&target.img, RAM, RAM);
    while (memctx_linux_stub_put(2 * MEMCTX_MIB, put, &target) < 0) {
        assert_int_equal(target.n, target.left);
        assert_true(++target.left < 100);
        target.n = 0;
    }
    assert_int_equal(target.n, target.left);
    guestimg_deinit(&target.img);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stub_is_found),
        cmocka_unit_test(test_failure_to_put_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
