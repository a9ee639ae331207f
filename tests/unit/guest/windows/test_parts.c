/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The parts of the Windows proof one by one: candidates, shared page, image,
 * finder, process list. */
#include "unit.h"

#include "charged.h"
#include "guestimg.h"
#include "guest/guest.h"
#include "guest/windows/finder.h"
#include "guest/windows/kuser.h"
#include "guest/windows/process.h"
#include "guest/windows/roots.h"
#include "winimg.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (64 * MEMCTX_MIB)
#define FOUR MEMCTX_PAGING_X86_64_4LEVEL

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct winimg want;
    struct memctx_view view;
    struct memctx_work work;
    struct memctx_windows_image image;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->map = guestimg_rammap(&f->img, NULL);
    f->want = winimg(19045, FOUR);
    winimg_write(&f->img, &f->want);
    charge_map(&f->map, &f->work, 100000);
    memctx_view_init(&f->view, f->map, FOUR, f->want.root_gpa);
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

/* Forget the pages that were read. */
static void
renew_view(struct fixture *f)
{
    memctx_view_init(&f->view, f->map, FOUR, f->want.root_gpa);
}

/* ---- candidates --------------------------------------------------------- */

struct clues {
    uint64_t gpas[8];
    size_t n;
    size_t stop_at;
};

static bool
take_clue(uint64_t gpa, void *arg)
{
    struct clues *clues = arg;
    clues->gpas[clues->n++] = gpa;
    return clues->n != clues->stop_at;
}

static struct clues
scan(uint64_t gpa, const unsigned char *bytes, size_t len, size_t stop_at)
{
    struct clues clues = {.stop_at = stop_at};
    const struct memctx_block block = {gpa, bytes, len, false, false};
    memctx_windows_scan(&block, take_clue, &clues);
    return clues;
}

static void
put64(unsigned char *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static void
test_pages_that_map_themselves(void **state)
{
    static unsigned char pages[4 * PAGE];
    const uint64_t gpa = UINT64_C(0x123456000);
    (void)state;
    /* Accessed, dirty, user, NX and ignored bits do not count. */
    put64(pages + 8 * 0x1ed, gpa | UINT64_C(0xfff0000000000f7f));
    put64(pages + PAGE + 8 * 0x100, (gpa + PAGE) | 0x63);
    put64(pages + 3 * PAGE + 8 * 511, (gpa + 3 * PAGE) | 3);
    struct clues clues = scan(gpa, pages, sizeof(pages), 0);
    assert_int_equal(clues.n, 3);
    assert_true(clues.gpas[0] == gpa);
    assert_true(clues.gpas[2] == gpa + 3 * PAGE);
    assert_int_equal(scan(gpa, pages, sizeof(pages), 1).n, 1);
    assert_int_equal(scan(gpa, pages, PAGE - 1, 0).n, 0);
    assert_int_equal(memctx_windows_self_index(gpa, pages), 0x1ed);
}

static void
test_pages_that_do_not(void **state)
{
    static unsigned char page[PAGE];
    const uint64_t gpa = UINT64_C(0x123456000);
    (void)state;
    static const struct {
        unsigned index;
        uint64_t entry;
    } entries[] = {
        {0x0ff, UINT64_C(0x123456063)}, /* in the user's half */
        {0x1ed, UINT64_C(0x123456062)}, /* not present */
        {0x1ed, UINT64_C(0x123456061)}, /* not writable */
        {0x1ed, UINT64_C(0x1234560e3)}, /* a large page */
        {0x1ed, UINT64_C(0x023456063)}, /* another page */
        {0x1ed, UINT64_C(0x123457063)},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(entries); i++) {
        memset(page, 0, sizeof(page));
        put64(page + 8 * entries[i].index, entries[i].entry);
        assert_int_equal(scan(gpa, page, PAGE, 0).n, 0);
    }
    /* An entry in the upper half of a word is none. */
    memset(page, 0, sizeof(page));
    put64(page + 8 * 0x1ed, UINT64_C(0x0000006300000000));
    assert_int_equal(scan(0, page, PAGE, 0).n, 0);
}

static void
test_roots_of_32_bits(void **state)
{
    static unsigned char page[PAGE];
    struct memctx_windows_root roots[MEMCTX_WINDOWS_ROOTS_MAX];
    (void)state;
    put64(page + 4 * 0x300, 0x185063);
    assert_int_equal(scan(0x185000, page, PAGE, 0).n, 1);
    assert_int_equal(memctx_windows_roots(0x185000, page, roots), 3);
    assert_int_equal(roots[2].paging, MEMCTX_PAGING_X86_2LEVEL);
    memset(page, 0, sizeof(page));
    for (unsigned i = 0; i < 4; i++)
        put64(page + 8 * i, (0x186000 + i * PAGE) | 1);
    assert_int_equal(scan(0x185000, page, PAGE, 0).n, 1);
    assert_int_equal(memctx_windows_roots(0x185000, page, roots), 1);
    assert_int_equal(roots[0].paging, MEMCTX_PAGING_X86_PAE);
    /* As TCG leaves it. */
    for (unsigned i = 0; i < 4; i++)
        put64(page + 8 * i, (0x186000 + i * PAGE) | 0x21);
    assert_int_equal(scan(0x185000, page, PAGE, 0).n, 1);
    assert_int_equal(memctx_windows_roots(0x185000, page, roots), 1);
    put64(page + 24, 0x189041);
    assert_int_equal(scan(0x185000, page, PAGE, 0).n, 0);
    put64(page + 8, 0x186001);
    assert_int_equal(scan(0x185000, page, PAGE, 0).n, 0);
}

static void
test_low_stubs(void **state)
{
    struct fixture *f = *state;
    struct clues clues = {.n = 0};
    uint64_t bytes = memctx_windows_follow(f->map, take_clue, &clues);
    assert_int_equal(clues.n, 1);
    assert_int_equal(clues.gpas[0], 0x13000);
    assert_true(bytes < 4 * PAGE);
    /* CompletionFlag, LmTarget, CR3 */
    static const struct {
        uint64_t at, value;
    } broken[] = {{0, 0xe9},
                  {0x70, 0x1000},
                  {0xa0, 0},
                  {0xa0, UINT64_C(0xfff0000000001000)}};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(broken); i++) {
        winimg_write_stub(&f->img, &f->want, 0x13000, f->want.root_gpa);
        guestimg_write_le64(&f->img, 0x13000 + broken[i].at, broken[i].value);
        clues.n = 0;
        memctx_windows_follow(f->map, take_clue, &clues);
        assert_int_equal(clues.n, 0);
    }
}

/* ---- shared page -------------------------------------------------------- */

static void
test_versions_of_the_shared_page(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t major, minor;
        bool good;
    } versions[] = {{6, 0, false}, {6, 1, true},  {6, 3, true},
                    {6, 4, false}, {10, 0, true}, {10, 1, false},
                    {0, 0, false}, {5, 2, false}};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(versions); i++) {
        struct memctx_windows_kuser kuser;
        guestimg_write_le64(&f->img, f->want.kuser_gpa + 0x268,
                            (uint64_t)versions[i].major << 32);
        guestimg_write_le64(&f->img, f->want.kuser_gpa + 0x270,
                            versions[i].minor);
        renew_view(f);
        assert_int_equal(memctx_windows_kuser_read(&f->view, &kuser, &f->err),
                         versions[i].good ? 0 : -1);
        if (!versions[i].good)
            assert_error(&f->err, MEMCTX_RETRY, "has version");
        else
            assert_int_equal(kuser.build, versions[i].major == 10 ? 19045 : 0);
    }
}

static void
test_clocks_of_the_shared_page(void **state)
{
    struct fixture *f = *state;
    const struct memctx_kernel kernel = {
        .os = MEMCTX_OS_WINDOWS, .wall_clock = {.page_gpa = f->want.kuser_gpa}};
    struct memctx_clocks *clocks = test_malloc(sizeof(*clocks));
    assert_done(memctx_windows_clocks(f->map, &kernel, clocks, &f->err),
                &f->err);
    assert_int_equal(clocks->n, 3);
    assert_true(clocks->clock[0].value == f->want.uptime);
    assert_true(clocks->clock[1].value == f->want.time);
    assert_true(clocks->clock[1].gpa == f->want.kuser_gpa + 0x14);
    test_free(clocks);
}

/* ---- image -------------------------------------------------------------- */

static int
read_image(struct fixture *f)
{
    renew_view(f);
    return memctx_windows_image_read(&f->view, f->want.base_gva, &f->image,
                                     &f->err);
}

static void
patch(struct fixture *f, uint64_t rva, uint64_t value)
{
    guestimg_write_le64(&f->img, f->want.image_gpa + rva, value);
}

static void
test_image(void **state)
{
    struct fixture *f = *state;
    assert_done(read_image(f), &f->err);
    assert_true(f->image.base_gva == f->want.base_gva);
    assert_int_equal(f->image.size, WINIMG_SIZE);
    assert_int_equal(f->image.build, 19045);
    assert_string_equal(f->image.identity, WINIMG_IDENTITY);
    assert_true(f->image.exports_gva[MEMCTX_WINDOWS_SYSTEM_PROCESS] ==
                f->want.base_gva + WINIMG_DATA);
    assert_true(f->image.exports_gva[MEMCTX_WINDOWS_GET_PID] ==
                f->want.base_gva + WINIMG_TEXT + 0x100);
}

static void
test_images_that_are_none(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t rva, value;
        const char *words;
    } broken[] = {
        {0, 0x5a4e, "no DOS header"},
        {0x3c, 0x1001, "no DOS header"},
        {0x3c, 0xfffffff0, "no DOS header"},
        {0xf0, 0x00004551, "no PE header"},
        {0xf0, UINT64_C(0x0000014c00004550), "no PE header"},
        {0xf0 + 24, 0x10b, "no PE header"},
        {0xf0 + 24 + 56, 0xfff, "image of 0xfff bytes"},
        {0xf0 + 24 + 56, 0xffffffff, "image of 0xffffffff bytes"},
        {0xf0 + 24 + 112, 0, "no data directory 0"},
        {0xf0 + 24 + 112, 0xfffff000, "outside the image"},
        {0xf0 + 24 + 108, 0, "no data directory 0"},
        {WINIMG_EDATA + 0xc, 0xffffffff, "outside the image"},
        {WINIMG_EDATA + 0x40, 0x6c6c642e6c6168, "exports as 'hal.dll"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(broken); i++) {
        winimg_write(&f->img, &f->want);
        patch(f, broken[i].rva, broken[i].value);
        assert_int_equal(read_image(f), -1);
        assert_error(&f->err, MEMCTX_RETRY, broken[i].words);
    }
}

/* Tables that point everywhere cost their names, and what is readable of them
 * is used. */
static void
test_export_tables_that_point_everywhere(void **state)
{
    struct fixture *f = *state;
    uint64_t before = f->work.left;
    patch(f, WINIMG_EDATA + 20, UINT64_MAX); /* numbers */
    assert_done(read_image(f), &f->err);
    assert_true(f->image.exports_gva[MEMCTX_WINDOWS_SYSTEM_PROCESS] != 0);
    patch(f, WINIMG_EDATA + 28, UINT64_MAX); /* functions, names */
    patch(f, WINIMG_EDATA + 36, UINT64_MAX); /* ordinals */
    assert_done(read_image(f), &f->err);
    assert_true(f->image.exports_gva[MEMCTX_WINDOWS_SYSTEM_PROCESS] == 0);
    assert_true(before - f->work.left < 50000);
}

static void
test_ordinal_beyond_the_functions(void **state)
{
    struct fixture *f = *state;
    patch(f, WINIMG_EDATA + 20, UINT64_C(0x900000002)); /* 2 functions */
    assert_done(read_image(f), &f->err);
    assert_true(f->image.exports_gva[MEMCTX_WINDOWS_GET_PID] == 0);
}

static void
test_debug_records_that_are_none(void **state)
{
    struct fixture *f = *state;
    patch(f, WINIMG_DEBUG + 0x80, UINT64_C(0x53445253));
    assert_done(read_image(f), &f->err);
    assert_string_equal(f->image.identity, "");
    winimg_write(&f->img, &f->want);
    patch(f, WINIMG_DEBUG + 28 + 20, UINT64_MAX);
    assert_done(read_image(f), &f->err);
    assert_string_equal(f->image.identity, "");
    winimg_write(&f->img, &f->want);
    patch(f, WINIMG_DEBUG + 0x98, 0x612062); /* "b a" */
    assert_done(read_image(f), &f->err);
    assert_string_equal(f->image.identity, "");
    winimg_write(&f->img, &f->want);
    patch(f, 0xf0 + 24 + 112 + 52, UINT32_MAX); /* size of the directory */
    assert_done(read_image(f), &f->err);
    assert_string_equal(f->image.identity, WINIMG_IDENTITY);
}

/* Not the base of the image begins a run, but something before it. */
static void
test_image_in_the_middle_of_a_run(void **state)
{
    struct fixture *f = *state;
    static struct memctx_windows_finder finder;
    const struct guestimg_space space = {f->want.root_gpa, 4};
    f->img.free_gpa = 60 * MEMCTX_MIB;
    guestimg_map(&f->img, &space, f->want.base_gva - 2 * MEMCTX_MIB,
                 48 * MEMCTX_MIB, 2 * MEMCTX_MIB, MEMCTX_PTE_PRESENT);
    memctx_windows_finder_init(&finder, &f->view);
    assert_done(memctx_windows_finder_next(&finder, &f->image, &f->err),
                &f->err);
    assert_true(f->image.base_gva == f->want.base_gva);
    assert_int_equal(memctx_windows_finder_next(&finder, &f->image, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "no image of ntoskrnl.exe is mapped");
}

/* ---- process list ------------------------------------------------------- */

static struct memctx_kernel
found(struct fixture *f)
{
    struct memctx_session session = {.map = f->map};
    struct memctx_kernel kernel;
    assert_done(
        memctx_windows_ops.verify(&session, f->want.root_gpa, &kernel, &f->err),
        &f->err);
    return kernel;
}

static uint64_t
link_gpa(const struct fixture *f, unsigned i)
{
    return f->want.eprocess_gpa[i] + f->want.build->links;
}

static void
test_process_list(void **state)
{
    struct fixture *f = *state;
    struct memctx_process list[8];
    static const char *const names[] = {"System", "Registry", "smss.exe"};
    const struct memctx_kernel kernel = found(f);
    size_t n;
    assert_done(memctx_windows_processes(f->map, &kernel, list, 8, &n, &f->err),
                &f->err);
    assert_int_equal(n, 3);
    for (unsigned i = 0; i < n; i++) {
        assert_string_equal(list[i].name, names[i]);
        assert_true(list[i].root_gpa == f->want.dtb_gpa[i]);
        assert_true(list[i].gva == f->want.eprocess_gva[i]);
    }
    assert_int_equal(list[0].pid, 4);
    assert_int_equal(
        memctx_windows_processes(f->map, &kernel, list, 2, &n, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "more than 2 processes");
    assert_int_equal(n, 2);
}

static void
test_process_lists_that_are_broken(void **state)
{
    struct fixture *f = *state;
    struct memctx_process list[8];
    const struct memctx_kernel kernel = found(f);
    const uint64_t back = f->want.eprocess_gva[1] + f->want.build->links;
    const struct {
        unsigned process;
        uint64_t link;
        const char *words;
        size_t n;
    } broken[] = {
        {2, back, "runs in a circle behind process 3", 3},
        {1, back, "runs in a circle behind process 2", 2},
        {1, 0, "is broken behind process 2: link 0", 2},
        {1, 0x1000, "is broken behind process 2", 2},
        {1, UINT64_MAX - 7, "process 3", 2},
        {0, UINT64_C(0xffffd00000000000), "process 2", 1},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(broken); i++) {
        uint64_t at = link_gpa(f, broken[i].process);
        uint64_t was = guestimg_read_le64(&f->img, at);
        size_t n;
        guestimg_write_le64(&f->img, at, broken[i].link);
        assert_int_equal(
            memctx_windows_processes(f->map, &kernel, list, 8, &n, &f->err),
            -1);
        assert_error(&f->err, MEMCTX_RETRY, broken[i].words);
        assert_int_equal(n, broken[i].n);
        guestimg_write_le64(&f->img, at, was);
    }
}

/* Without the getter of the pid nobody says where the links are. */
static void
test_process_list_without_offsets(void **state)
{
    struct fixture *f = *state;
    struct memctx_process list[1];
    struct memctx_kernel kernel = found(f);
    size_t n = 7;
    kernel.windows_facts.offsets.links = 0;
    assert_int_equal(
        memctx_windows_processes(f->map, &kernel, list, 1, &n, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "is not known");
    assert_int_equal(n, 0);
}

static void
test_links_that_are_no_list_are_not_told(void **state)
{
    struct fixture *f = *state;
    const uint64_t backs[] = {0, f->want.eprocess_gva[1],
                              f->want.eprocess_gva[1] + f->want.build->links};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(backs); i++) {
        guestimg_write_le64(&f->img, link_gpa(f, 0) + 8, backs[i]);
        const struct memctx_kernel kernel = found(f);
        assert_int_equal(kernel.windows_facts.offsets.pid, 0x440);
        assert_int_equal(kernel.windows_facts.offsets.links, 0);
    }
}

/* A pid 4 without a list behind it is any number. */
static void
test_number_4_is_no_pid(void **state)
{
    struct fixture *f = *state;
    struct memctx_session session = {.map = f->map};
    struct memctx_kernel kernel;
    f->want.code = WINIMG_CODE_OPAQUE;
    winimg_write(&f->img, &f->want);
    (void)found(f);
    guestimg_write_le64(&f->img, link_gpa(f, 0),
                        f->want.eprocess_gva[2] + f->want.build->links);
    assert_int_equal(
        memctx_windows_ops.verify(&session, f->want.root_gpa, &kernel, &f->err),
        -1);
    assert_error(&f->err, MEMCTX_RETRY, "has no pid 4");
}

/* The roots of other processes need no proof once the kernel is known. */
static void
test_known_kernel_is_not_proven_again(void **state)
{
    struct fixture *f = *state;
    struct memctx_session session = {.map = f->map};
    struct memctx_kernel kernel = found(f);
    uint64_t before = f->work.left;
    session.known[0] = kernel;
    session.n_known = 1;
    for (unsigned i = 0; i < 3; i++) {
        assert_done(memctx_windows_ops.verify(&session, f->want.dtb_gpa[i],
                                              &kernel, &f->err),
                    &f->err);
        assert_int_equal(kernel.kcr3, f->want.root_gpa);
    }
    assert_true(before - f->work.left < 100);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_pages_that_map_themselves),
        T(test_pages_that_do_not),
        T(test_roots_of_32_bits),
        T(test_low_stubs),
        T(test_versions_of_the_shared_page),
        T(test_clocks_of_the_shared_page),
        T(test_image),
        T(test_images_that_are_none),
        T(test_export_tables_that_point_everywhere),
        T(test_ordinal_beyond_the_functions),
        T(test_debug_records_that_are_none),
        T(test_image_in_the_middle_of_a_run),
        T(test_process_list),
        T(test_process_lists_that_are_broken),
        T(test_process_list_without_offsets),
        T(test_links_that_are_no_list_are_not_told),
        T(test_number_4_is_no_pid),
        T(test_known_kernel_is_not_proven_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
