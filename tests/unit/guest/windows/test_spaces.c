/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Address spaces that few Windows guests have: less room for the kernel, or
 * more, an image without headers, and much that is mapped below it. */
#include "unit.h"

#include "guest/guest.h"
#include "winprobe.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (64 * MEMCTX_MIB)
#define FOUR MEMCTX_PAGING_X86_64_4LEVEL
#define FIVE MEMCTX_PAGING_X86_64_5LEVEL
#define PAE MEMCTX_PAGING_X86_PAE
#define OLD MEMCTX_PAGING_X86_2LEVEL

static void
make_ram(struct winprobe *f)
{
    guestimg_init(&f->img, RAM, RAM);
    winprobe_begin(f);
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
begin(struct winprobe *f, unsigned build, enum memctx_paging paging)
{
    winprobe_end(f);
    make_ram(f);
    f->want = winimg(build, paging);
}

static void
expect_right(struct winprobe *f)
{
    winprobe_assert_found(f);
    winprobe_assert_offsets(f);
    winprobe_assert_processes(f);
}

/* bcdedit /set increaseuserva 3072: the kernel has one GiB of four. */
static void
test_kernel_with_less_room(void **state)
{
    struct winprobe *f = *state;
    static const struct {
        unsigned build;
        enum memctx_paging paging;
    } kernels[] = {{7601, OLD}, {7601, PAE}, {19041, PAE}};
    for (size_t i = 0; i < 2 * MEMCTX_ARRAY_LEN(kernels); i++) {
        begin(f, kernels[i / 2].build, kernels[i / 2].paging);
        f->want.base_gva = 0xe1800000;
        f->want.pool_gva = 0xe6400000;
        f->want.large_pages = i % 2 == 0;
        winimg_write(&f->img, &f->want);
        expect_right(f);
    }
}

/* Where the kernel's half begins lower: pools, and where the low stub jumps. */
static void
test_addresses_of_57_bits(void **state)
{
    struct winprobe *f = *state;
    static const unsigned builds[] = {20348, 26100};
    for (size_t i = 0; i < 2 * MEMCTX_ARRAY_LEN(builds); i++) {
        begin(f, builds[i / 2], FIVE);
        f->want.pool_gva = UINT64_C(0xff1a00044e403000);
        f->want.target_gva = UINT64_C(0xff11000000054d00);
        if (i % 2 == 0)
            f->want.self_index = 0;
        winimg_write(&f->img, &f->want);
        expect_right(f);
    }
    /* With 4 levels no pointer of the kernel is there. */
    begin(f, 19041, FOUR);
    winimg_write(&f->img, &f->want);
    guestimg_write_le64(&f->img, f->want.pointer_gpa,
                        UINT64_C(0xff1a00044e403000));
    assert_int_equal(winprobe_try(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no kernel address");
}

static void
test_names_of_kernels(void **state)
{
    struct winprobe *f = *state;
    static const struct {
        const char *name;
        bool is_kernel;
    } names[] = {
        {"ntkrla57.exe", true},      {"NTKRNLMP.EXE", true},
        {"ntkrnlpa.exe", true},      {"ntkrla57.exes", false},
        {"securekernella57", false}, {"securekernel.exe", false},
        {"hal.dll", false},          {"ntoskrnl.sys", false},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(names); i++) {
        begin(f, 20348, i == 0 ? FIVE : FOUR);
        f->want.export_as = names[i].name;
        winimg_write(&f->img, &f->want);
        if (names[i].is_kernel) {
            expect_right(f);
            continue;
        }
        assert_int_equal(winprobe_try(f), -1);
        assert_error(&f->err, MEMCTX_RETRY, "image exports as '");
    }
}

/* Bits that tell the processor how to load CR3 are no part of an address. */
static void
test_flags_of_the_root_for_user_space(void **state)
{
    struct winprobe *f = *state;
    static const struct {
        uint64_t flags;
        bool is_root;
    } values[] = {
        {0, true},
        {UINT64_C(1) << 63 | 1, true},
        {UINT64_C(7) << 61 | 1, true},
        {UINT64_C(1) << 60, false},
        {UINT64_C(0xffff) << 48, false},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(values); i++) {
        begin(f, 19041, FOUR);
        f->want.kva_shadow = true;
        f->want.user_flags = values[i].flags;
        winimg_write(&f->img, &f->want);
        expect_right(f);
        assert_int_equal(f->kernel->windows_facts.offsets.user_dtb,
                         values[i].is_root ? f->want.build->user_dtb : 0);
    }
}

/* ---- headers ---------------------------------------------------------------
 */

/* What a tool against dumps leaves, or the memory manager takes. */
static void
take_headers(struct winprobe *f, bool wipe)
{
    unsigned char zeros[PAGE] = {0};
    if (wipe)
        guestimg_write(&f->img, f->want.image_gpa, zeros, sizeof(zeros));
    else
        winimg_page(&f->img, &f->want, 0, PAGE, WINIMG_PAGE_FILE);
}

static void
expect_without_headers(struct winprobe *f)
{
    expect_right(f);
    assert_int_equal(f->kernel->size_bytes, 0);
    assert_string_equal(f->kernel->identity, "");
    assert_non_null(strstr(f->kernel->checks, ",exports,system-process"));
}

static void
test_image_without_headers(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, FIVE, PAE, OLD};
    for (size_t i = 0; i < 3 * MEMCTX_ARRAY_LEN(pagings); i++) {
        begin(f, pagings[i / 3] == OLD ? 7601 : 20348, pagings[i / 3]);
        if (f->want.build == NULL)
            begin(f, 19041, pagings[i / 3]);
        f->want.large_pages = i % 3 == 2;
        winimg_write(&f->img, &f->want);
        take_headers(f, i % 3 > 0);
        expect_without_headers(f);
    }
}

/* Its exports are out as well: what nobody can find is still no reason to take
 * the boot before, though images of drivers can be read. */
static void
test_image_without_headers_and_exports(void **state)
{
    struct winprobe *f = *state;
    struct winimg before;
    struct winimg driver;
    begin(f, 20348, FOUR);
    f->want.large_pages = false;
    before = f->want;
    before.root_gpa = 0x1aa000;
    before.tables_gpa = 24 * MEMCTX_MIB;
    before.image_gpa = 48 * MEMCTX_MIB;
    before.stub_gpa = 0;
    before.base_gva += 16 * MEMCTX_MIB;
    f->want.created = f->want.time - f->want.uptime + 100;
    before.created = f->want.created - 72000000000;
    winimg_write(&f->img, &f->want);
    before.shares_kuser = f->want.kuser_gpa;
    winimg_write(&f->img, &before);
    driver = f->want;
    driver.export_as = "disk.sys";
    driver.image_gpa = 56 * MEMCTX_MIB;
    driver.base_gva += 32 * MEMCTX_MIB;
    driver.next_gpa = 60 * MEMCTX_MIB;
    winimg_add_image(&f->img, &driver);
    take_headers(f, true);
    winimg_page(&f->img, &f->want, WINIMG_EDATA, PAGE, WINIMG_PAGE_FILE);
    assert_int_equal(winprobe_try(f), -1);
    assert_error(&f->err, MEMCTX_RETRY,
                 "is complete, but another, some of which is paged out, may be "
                 "the one that runs: root 0x");
}

/* What only looks like an export directory leads nowhere. */
static void
test_directories_of_no_image(void **state)
{
    struct winprobe *f = *state;
    static const struct {
        unsigned at;
        uint64_t value;
    } broken[] = {
        {0, 1},                               /* Characteristics */
        {8, UINT64_C(0xfffff04000000000)},    /* name */
        {8, UINT64_C(0x0000004000000000)},    /* name, in no section */
        {20, UINT64_C(0x0000000000000000)},   /* functions, names: none */
        {20, UINT64_C(0xffffffffffffffff)},   /* ... or too many */
        {0x40, UINT64_C(0x0000006c6c642e68)}, /* its name */
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(broken); i++) {
        begin(f, 19041, FOUR);
        winimg_write(&f->img, &f->want);
        take_headers(f, true);
        guestimg_write_le64(&f->img,
                            f->want.image_gpa + WINIMG_EDATA + broken[i].at,
                            broken[i].value);
        assert_int_equal(winprobe_try(f), -1);
        assert_error(&f->err, MEMCTX_RETRY,
                     "no image of ntoskrnl.exe is mapped");
    }
}

/* ---- much is mapped --------------------------------------------------------
 */

/* Map 4 KiB pages from gva on, each `stride` of them, by tables of which there
 * is only one: `n` pages with and without mappings. */
static void
map_many(struct winprobe *f, uint64_t gva, unsigned n, unsigned stride)
{
    const struct guestimg_space space = {f->want.root_gpa, 4};
    const uint64_t large = 512 * PAGE;
    unsigned char table[PAGE] = {0};
    f->img.free_gpa = 56 * MEMCTX_MIB;
    for (unsigned i = 0; i < 512; i += stride) {
        uint64_t entry = (40 * MEMCTX_MIB + i * PAGE) | MEMCTX_PTE_PRESENT;
        for (unsigned b = 0; b < 8; b++)
            table[8 * i + b] = (unsigned char)(entry >> (8 * b));
    }
    for (uint64_t at = gva; at < gva + n * PAGE; at += large) {
        guestimg_map(&f->img, &space, at, 0, PAGE, MEMCTX_PTE_PRESENT);
        guestimg_write(&f->img, guestimg_leaf_gpa(&f->img, &space, at), table,
                       sizeof(table));
    }
}

static void
test_much_is_mapped_below(void **state)
{
    struct winprobe *f = *state;
    static const struct {
        unsigned n;
        unsigned stride;
    } many[] = {{262144, 1}, {600000, 1}, {262144, 2}, {600000, 2}};
    for (size_t i = 0; i < 2 * MEMCTX_ARRAY_LEN(many); i++) {
        begin(f, 19041, FOUR);
        f->want.large_pages = i % 2 == 0;
        winimg_write(&f->img, &f->want);
        map_many(f, UINT64_C(0xfffff80100000000), many[i / 2].n,
                 many[i / 2].stride);
        expect_right(f);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_kernel_with_less_room),
        T(test_addresses_of_57_bits),
        T(test_names_of_kernels),
        T(test_flags_of_the_root_for_user_space),
        T(test_image_without_headers),
        T(test_image_without_headers_and_exports),
        T(test_directories_of_no_image),
        T(test_much_is_mapped_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
