/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where a kernel says that its RAM ends, and what is made of it. */
#include "unit.h"

#include "guestimg.h"
#include "search/split.h"

#define RAM (1024 * MEMCTX_MIB)
#define LOW (384 * MEMCTX_MIB)
#define ABOVE (4 * MEMCTX_GIB)
#define ROOT (2 * MEMCTX_MIB)
#define LARGE (2 * MEMCTX_MIB)
#define DIRECT_MAP UINT64_C(0xffff9a4000000000)
#define VMALLOC UINT64_C(0xffffc90000000000)
#define LDT UINT64_C(0xffff880000000000) /* in front of the direct map */
#define RW (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map; /* in the layout that a test takes for right */
    uint64_t low;
    struct memctx_kernel kernel;
    uint64_t guesses[MEMCTX_SPLIT_GUESSES];
};

static const struct guestimg_space four = {ROOT, 4};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, LOW);
    f->map = guestimg_rammap(&f->img, NULL);
    f->low = LOW;
    f->kernel.paging = MEMCTX_PAGING_X86_64_4LEVEL;
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

/* Have the map as if RAM were split at `low`. */
static void
lay_out(struct fixture *f, uint64_t low)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_rammap *map;
    const struct memctx_extent below = {0, low, 0, 0};
    const struct memctx_extent above = {ABOVE, RAM - low, low, 0};
    assert_done(memctx_rammap_create_beside(f->map, &map, &err), &err);
    assert_done(memctx_rammap_add_extent(map, &below, &err), &err);
    if (above.size > 0)
        assert_done(memctx_rammap_add_extent(map, &above, &err), &err);
    memctx_rammap_destroy(f->map);
    f->map = map;
    f->low = low;
}

static void
map_direct(struct fixture *f, uint64_t gpa, uint64_t size)
{
    guestimg_map_range(&f->img, &four, DIRECT_MAP + gpa, gpa, size, LARGE, RW);
}

static enum memctx_split_word
judge(struct fixture *f)
{
    return memctx_split_judge(f->map, &f->kernel, f->low, f->guesses);
}

/* Firmware keeps a part of each piece, and other mappings are smaller. */
static void
test_right_layout_is_confirmed(void **state)
{
    struct fixture *f = *state;
    map_direct(f, 0, LOW - 4 * MEMCTX_MIB);
    map_direct(f, ABOVE, RAM - LOW);
    guestimg_map_range(&f->img, &four, VMALLOC, 3 * MEMCTX_GIB, 64 * MEMCTX_MIB,
                       LARGE, RW);
    guestimg_map_range(&f->img, &four, LDT, 64 * MEMCTX_MIB, 8 * MEMCTX_MIB,
                       LARGE, RW);
    assert_int_equal(judge(f), MEMCTX_SPLIT_CONFIRMED);
    assert_int_equal(f->guesses[0], 0);
}

static void
test_one_piece_is_confirmed(void **state)
{
    struct fixture *f = *state;
    lay_out(f, RAM);
    map_direct(f, 0, RAM - LARGE);
    assert_int_equal(judge(f), MEMCTX_SPLIT_CONFIRMED);
}

/* The size of the second piece says where the first one ends. */
static void
test_wrong_split_is_contradicted(void **state)
{
    struct fixture *f = *state;
    map_direct(f, 0, LOW - 4 * MEMCTX_MIB);
    map_direct(f, ABOVE, RAM - LOW);
    lay_out(f, 512 * MEMCTX_MIB);
    assert_int_equal(judge(f), MEMCTX_SPLIT_CONTRADICTED);
    assert_int_equal(f->guesses[0], LOW);
    lay_out(f, 256 * MEMCTX_MIB);
    assert_int_equal(judge(f), MEMCTX_SPLIT_CONTRADICTED);
    assert_int_equal(f->guesses[0], LOW);
}

/* Tables of what lies above are there, too, and cannot be read: what is left is
 * where the first piece ends. */
static void
test_first_piece_is_guessed_from_its_end(void **state)
{
    struct fixture *f = *state;
    map_direct(f, 0, LOW - 4 * MEMCTX_MIB);
    lay_out(f, RAM);
    assert_int_equal(judge(f), MEMCTX_SPLIT_CONTRADICTED);
    assert_int_equal(f->guesses[0], LOW);
    assert_int_equal(f->guesses[1], 0);
}

/* A map that ends as a layout demands, but goes on above where it has nothing.
 */
static void
test_ram_above_that_one_piece_has_not(void **state)
{
    struct fixture *f = *state;
    map_direct(f, 0, RAM);
    map_direct(f, ABOVE, 128 * MEMCTX_MIB);
    lay_out(f, RAM);
    assert_int_equal(judge(f), MEMCTX_SPLIT_CONTRADICTED);
    assert_int_equal(f->guesses[0], RAM - 128 * MEMCTX_MIB);
}

/* Working sets and pools, as Windows maps them, are no direct map. */
static void
test_scattered_pages_tell_nothing(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 0; i < 128; i++)
        guestimg_map(&f->img, &four, VMALLOC + i * LARGE,
                     (i * 37 % 128) * LARGE, LARGE, RW);
    assert_int_equal(judge(f), MEMCTX_SPLIT_UNTOLD);
}

/* Of i386 with little of its RAM mapped, or a root that is none. */
static void
test_little_of_ram_tells_nothing(void **state)
{
    struct fixture *f = *state;
    map_direct(f, 0, RAM / 4 - LARGE);
    assert_int_equal(judge(f), MEMCTX_SPLIT_UNTOLD);
    f->kernel.kcr3 = 16 * MEMCTX_GIB;
    assert_int_equal(judge(f), MEMCTX_SPLIT_UNTOLD);
}

static void
test_stock_machines(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        uint64_t low[MEMCTX_SPLITS_MAX];
    } cases[] = {
        {512 * MEMCTX_MIB, {512 * MEMCTX_MIB}},
        {0xaffff000, {0xaffff000}},
        {0xb0000000, {0x80000000, 0xb0000000}},
        {3 * MEMCTX_GIB, {0x80000000, 0xc0000000}},
        {0xe0000000, {0x80000000, 0xc0000000}},
        {8 * MEMCTX_GIB, {0x80000000, 0xc0000000, 0xe0000000}},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(cases); i++) {
        uint64_t low[MEMCTX_SPLITS_MAX] = {0};
        size_t n = memctx_split_stock(cases[i].size, low);
        assert_true(n > 0 && n <= MEMCTX_SPLITS_MAX);
        assert_memory_equal(low, cases[i].low, sizeof(low));
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_right_layout_is_confirmed),
        T(test_one_piece_is_confirmed),
        T(test_wrong_split_is_contradicted),
        T(test_first_piece_is_guessed_from_its_end),
        T(test_ram_above_that_one_piece_has_not),
        T(test_scattered_pages_tell_nothing),
        T(test_little_of_ram_tells_nothing),
        cmocka_unit_test(test_stock_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
