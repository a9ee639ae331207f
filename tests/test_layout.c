/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The split of boot RAM, against what QEMU itself did: every row of `measured`
 * was read from a running QEMU (5.2, 7.2 or 10.0) with info mtree -f. */
#include "unit.h"

#include "guestimg.h"
#include "layout.h"

#define M MEMCTX_MIB
#define G MEMCTX_GIB

static const struct row {
    const char *machine;
    uint64_t ram;
    uint64_t max4;
    uint64_t low;
} measured[] = {
    /* pc: all RAM up to 3584 MiB is low, from there on 3 GiB */
    {"pc", 512 * M, 0, 512 * M},
    {"pc", 4 * G, 0, 3 * G},
    {"pc-i440fx-7.2", 512 * M, 0, 512 * M},
    {"pc-i440fx-7.1", 2 * G, 0, 2 * G},
    {"pc-i440fx-8.2", 2815 * M, 0, 2815 * M},
    {"pc-i440fx-7.0", 2816 * M, 0, 2816 * M},
    {"pc-i440fx-2.12", 3073 * M, 0, 3073 * M},
    {"pc-i440fx-5.0", 3583 * M, 0, 3583 * M},
    {"pc-i440fx-5.2", 3584 * M, 0, 3 * G},
    {"pc-i440fx-3.1", 3585 * M, 0, 3 * G},
    {"pc-i440fx-2.0", 64 * G, 0, 3 * G},
    {"pc-i440fx-2.4", 3584 * M, 0, 3 * G},
    {"pc-i440fx-7.0", 512 * G, 0, 3 * G},
    /* pc-i440fx-1.x, isapc: 3584 MiB however much RAM there is */
    {"pc-i440fx-1.7", 2815 * M, 0, 2815 * M},
    {"pc-i440fx-1.4", 2817 * M, 0, 2817 * M},
    {"isapc", 3073 * M, 0, 3073 * M},
    {"isapc", 3584 * M, 0, 3584 * M},
    /* q35: 2816 MiB, from there on 2 GiB */
    {"q35", 512 * M, 0, 512 * M},
    {"q35", 4 * G, 0, 2 * G},
    {"pc-q35-5.2", 2049 * M, 0, 2049 * M},
    {"pc-q35-2.7", 2815 * M, 0, 2815 * M},
    {"pc-q35-8.0", 2816 * M, 0, 2 * G},
    {"pc-q35-2.5", 2817 * M, 0, 2 * G},
    {"pc-q35-7.1", 3583 * M, 0, 2 * G},
    {"pc-q35-4.0.1", 3584 * M, 0, 2 * G},
    {"pc-q35-10.0", 3500 * M, 0, 2 * G},
    {"pc-q35-6.2", 64 * G, 0, 2 * G},
    {"pc-q35-10.0", 512 * G, 0, 2 * G},
    /* -machine max-ram-below-4g */
    {"pc-i440fx-2.12", 512 * M, 2 * G, 512 * M},
    {"pc-i440fx-7.2", 3500 * M, 1 * G, 1 * G},
    {"pc-i440fx-4.2", 8 * G, 1 * G, 1 * G},
    {"pc-i440fx-2.12", 3584 * M, 1536 * M, 1536 * M},
    {"pc-i440fx-2.12", 2047 * M, 2 * G, 2047 * M},
    {"pc-i440fx-5.2", 2 * G, 2 * G, 2 * G},
    {"pc-i440fx-7.2", 3073 * M, 3 * G, 3 * G},
    {"pc-i440fx-3.1", 3073 * M, 3584 * M, 3073 * M},
    {"pc-i440fx-5.2", 3585 * M, 3584 * M, 3 * G},
    {"pc-i440fx-5.2", 3583 * M, 3968 * M, 3583 * M},
    {"pc-i440fx-7.2", 3 * G, 4 * G, 3 * G},
    {"pc-i440fx-4.2", 8 * G, 4 * G, 3 * G},
    {"pc-i440fx-2.4", 3500 * M, 4 * G, 3500 * M},
    {"pc-i440fx-1.7", 3584 * M, 4 * G, 3584 * M},
    {"pc-i440fx-1.7", 3500 * M, 3 * G, 3 * G},
    {"pc-i440fx-1.7", 3 * G, 2 * G, 2 * G},
    {"isapc", 4 * G, 3 * G, 3 * G},
    {"pc-q35-2.12", 2 * G, 1 * G, 1 * G},
    {"pc-q35-10.0", 4 * G, 3 * G, 2 * G},
    {"pc-q35-8.2", 3584 * M, 2 * G, 2 * G},
    {"pc-q35-4.2", 3584 * M, 4 * G, 2 * G},
    {"pc-q35-7.2", 1 * G, 1 * G, 1 * G},
    {"pc-q35-8.2", 512 * M, 1 * G, 512 * M},
};

/* Not measured: names that distributions give to their own machine types, and
 * types that QEMU has dropped. From the sources. */
static const struct row named[] = {
    {"pc-i440fx-jammy", 4 * G, 0, 3 * G},
    {"pc-i440fx-rhel7.6.0", 3584 * M, 0, 3 * G},
    {"pc-q35-rhel9.4.0", 4 * G, 0, 2 * G},
    {"pc-q35-noble-hpb", 2815 * M, 0, 2815 * M},
    {"pc-i440fx-11.0", 4 * G, 0, 3 * G},
    {"pc-1.3", 4 * G, 0, 3584 * M},
    {"pc-0.15", 4 * G, 0, 3584 * M},
    {"pc-i440fx-1.7", 3 * G, 0, 3 * G},
    {"pc-i440fx-1.7", 4 * G, 0, 3584 * M},
};

static void
check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct memctx_layout_facts facts = {
            .machine = rows[i].machine,
            .ram_bytes = rows[i].ram,
            .max_ram_below_4g = rows[i].max4,
        };
        struct memctx_layout layout;
        struct memctx_error err = MEMCTX_ERROR_INIT;
        assert_done(memctx_layout_split(&facts, &layout, &err), &err);
        if (layout.low != rows[i].low)
            fail_msg("%s with %llu MiB, max-ram-below-4g %llu MiB: low is %llu "
                     "MiB, wanted %llu",
                     rows[i].machine, (unsigned long long)(rows[i].ram / M),
                     (unsigned long long)(rows[i].max4 / M),
                     (unsigned long long)(layout.low / M),
                     (unsigned long long)(rows[i].low / M));
        assert_int_equal(layout.above, 4 * G);
    }
}

static void
test_measured_splits(void **state)
{
    (void)state;
    check_rows(measured, MEMCTX_ARRAY_LEN(measured));
}

static void
test_splits_of_other_names(void **state)
{
    (void)state;
    check_rows(named, MEMCTX_ARRAY_LEN(named));
}

static void
refuse(const struct memctx_layout_facts *facts, const char *words)
{
    struct memctx_layout layout = {.low = 77};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(memctx_layout_split(facts, &layout, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    assert_int_equal(layout.low, 77);
}

static void
test_machine_that_is_not_known(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",         "microvm", "virt",      "virt-7.2",  "none",
        "x-remote", "xenfv",   "pc-q35",    "q35-7.2",   "PC",
        "pcx",      "pc-",     "pc-i440fx", "rhel6.6.0", "pseries",
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++) {
        struct memctx_layout_facts facts = {.machine = names[i],
                                            .ram_bytes = G};
        refuse(&facts, "is not known; pc and q35 are");
    }
}

/* QEMU 7.1 and later move RAM above 1 TiB where AMD has a hole at 1012 GiB. */
static void
test_ram_that_may_lie_above_1_tib(void **state)
{
    (void)state;
    struct memctx_layout_facts large = {.machine = "q35",
                                        .ram_bytes = 1011 * G};
    struct memctx_layout_facts growing = {
        .machine = "q35", .ram_bytes = 4 * G, .max_memory_bytes = 900 * G};
    struct memctx_layout_facts hole = {
        .machine = "q35", .ram_bytes = 4 * G, .pci_hole64_bytes = 1024 * G};
    refuse(&hole, "above 800 GiB");
    refuse(&large, "above 800 GiB");
    refuse(&growing, "above 800 GiB");
    large.ram_bytes = 800 * G;
    growing.max_memory_bytes = 800 * G;
    struct memctx_layout layout;
    assert_int_equal(memctx_layout_split(&large, &layout, NULL), 0);
    assert_int_equal(memctx_layout_split(&growing, &layout, NULL), 0);
}

/* Apply a layout to an empty map with one backend of `size` bytes. */
static int
apply(const struct memctx_layout *layout, uint64_t size, uint64_t ram,
      struct memctx_rammap **map, struct memctx_error *err)
{
    struct guestimg img;
    unsigned backend;
    guestimg_init(&img, size, size);
    assert_done(memctx_rammap_create(map, err), err);
    assert_done(memctx_rammap_add_backend(*map, "pc.ram", guestimg_open(&img),
                                          NULL, &backend, err),
                err);
    guestimg_deinit(&img);
    return memctx_layout_apply(layout, ram, *map, backend, err);
}

static void
test_extents_of_a_split(void **state)
{
    (void)state;
    struct memctx_layout layout = {2 * G, 4 * G};
    struct memctx_rammap *map;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    size_t n;
    assert_done(apply(&layout, 8 * G, 8 * G, &map, &err), &err);
    const struct memctx_extent *e = memctx_rammap_extents(map, &n);
    assert_int_equal(n, 2);
    assert_int_equal(e[0].gpa, 0);
    assert_int_equal(e[0].size, 2 * G);
    assert_int_equal(e[0].offset, 0);
    assert_int_equal(e[1].gpa, 4 * G);
    assert_int_equal(e[1].size, 6 * G);
    assert_int_equal(e[1].offset, 2 * G);
    memctx_rammap_destroy(map);
}

static void
test_ram_below_the_split_is_one_extent(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {M, 2 * G - M, 2 * G};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(sizes); i++) {
        struct memctx_layout layout = {2 * G, 4 * G};
        struct memctx_rammap *map;
        struct memctx_error err = MEMCTX_ERROR_INIT;
        size_t n;
        assert_done(apply(&layout, sizes[i], sizes[i], &map, &err), &err);
        memctx_rammap_extents(map, &n);
        assert_int_equal(n, 1);
        assert_int_equal(memctx_rammap_end(map), sizes[i]);
        memctx_rammap_destroy(map);
    }
}

static void
test_backing_smaller_than_ram(void **state)
{
    (void)state;
    struct memctx_layout layout = {2 * G, 4 * G};
    struct memctx_rammap *map;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(apply(&layout, 3 * G, 4 * G, &map, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "its backing has 0xc0000000 bytes");
    memctx_rammap_destroy(map);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_measured_splits),
        T(test_splits_of_other_names),
        T(test_machine_that_is_not_known),
        T(test_ram_that_may_lie_above_1_tib),
        T(test_extents_of_a_split),
        T(test_ram_below_the_split_is_one_extent),
        T(test_backing_smaller_than_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
