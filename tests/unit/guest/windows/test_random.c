/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Random combinations of what may befall the RAM of a Windows guest: pages that
 * are out, an earlier boot that is still whole, stubs that are stale, tables of
 * VTL1, headers that were wiped, clocks that are set, a hibernated kernel that
 * comes back page by page. Whatever they are, the answer is right, or there is
 * none and a sentence says why. The seed is printed; MEMCTX_TEST_SEED and
 * MEMCTX_TEST_ROUNDS set seed and number.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "guestimg.h"
#include "search/bootstrap.h"
#include "search/search.h"
#include "winimg.h"

#define RAM (128 * MEMCTX_MIB)
#define SECOND UINT64_C(1000000)
#define ROUNDS 150

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    uint64_t base; /* where RAM begins */
    struct winimg live;
    struct winimg dead;
    bool has_dead;
    uint64_t random;
    unsigned n_right;
    uint64_t seed; /* of the round under way; 0: none is */
    struct memctx_error err;
};

/* SplitMix64: the same numbers everywhere. */
static unsigned
below(struct fixture *f, unsigned n)
{
    uint64_t z = f->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) % n);
}

static bool
one_in(struct fixture *f, unsigned n)
{
    return below(f, n) == 0;
}

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

/* ---- images -------------------------------------------------------------- */

static enum memctx_paging
random_paging(struct fixture *f, const struct winimg_build *build)
{
    if (!build->wide)
        return build->build == 7601 && one_in(f, 2) ? MEMCTX_PAGING_X86_2LEVEL
                                                    : MEMCTX_PAGING_X86_PAE;
    if (build->build >= 20348 && one_in(f, 3))
        return MEMCTX_PAGING_X86_64_5LEVEL;
    return build->build >= 20348 && one_in(f, 2) ? MEMCTX_PAGING_AARCH64_4K_47
                                                 : MEMCTX_PAGING_X86_64_4LEVEL;
}

static struct winimg
random_kernel(struct fixture *f)
{
    unsigned n = 0;
    while (winimg_builds[n].build != 0)
        n++;
    const struct winimg_build *build = &winimg_builds[below(f, n)];
    struct winimg w = winimg(build->build, random_paging(f, build));
    w.large_pages = false;
    if (!build->wide && one_in(f, 3)) {
        w.base_gva += 0x5f000000; /* increaseuserva */
        w.pool_gva += 0x5f000000;
    }
    if (w.paging == MEMCTX_PAGING_X86_64_5LEVEL && one_in(f, 2))
        w.pool_gva = UINT64_C(0xff1a00044e403000);
    w.self_index = build->build < 14393 ? 0x1ed : 0x100 + below(f, 0xf0);
    w.kva_shadow = build->user_dtb != 0 && one_in(f, 3);
    w.user_half = one_in(f, 3);
    w.code = (enum winimg_code)below(f, WINIMG_CODES);
    w.pdb = one_in(f, 5) ? NULL : w.pdb;
    w.n_processes = 1 + below(f, 12);
    w.user_flags |= (uint64_t)below(f, 2) << 63;
    if (one_in(f, 3))
        w.stub_gpa = 0;
    w.uptime = (1 + below(f, 36000)) * UINT64_C(10000000);
    w.created = w.time - w.uptime + below(f, 20000000);
    return w;
}

static void
take_pages(struct fixture *f, const struct winimg *w)
{
    for (unsigned rva = 0; rva < WINIMG_ALL_OUT; rva += MEMCTX_PAGE_SIZE) {
        if (one_in(f, 3))
            winimg_page(&f->img, w, rva, MEMCTX_PAGE_SIZE,
                        (enum winimg_out)(1 + below(f, 3)));
    }
}

/* What a tool against dumps does. */
static void
wipe_headers(struct fixture *f, const struct winimg *w)
{
    unsigned char zeros[MEMCTX_PAGE_SIZE] = {0};
    guestimg_write(&f->img, w->image_gpa, zeros, sizeof(zeros));
}

/* An image like others, in the space of the kernel. */
static void
add_driver(struct fixture *f, const struct winimg *w)
{
    struct winimg driver = *w;
    driver.base_gva += 32 * MEMCTX_MIB;
    driver.image_gpa = f->base + 48 * MEMCTX_MIB;
    driver.next_gpa = f->base + 56 * MEMCTX_MIB;
    driver.export_as = "disk.sys";
    driver.pdb = "disk.pdb";
    driver.only_data = true;
    winimg_add_image(&f->img, &driver);
}

/* VBS: the secure kernel's root, which maps the kernel and its clock, too. */
static void
add_vtl1(struct fixture *f)
{
    struct winimg secure = f->live;
    secure.stage = WINIMG_KERNEL;
    secure.kuser_gpa = secure.next_gpa = secure.stub_gpa = 0;
    secure.shares_kuser = f->live.kuser_gpa;
    secure.root_gpa -= 0x50000;
    secure.tables_gpa = f->base + 72 * MEMCTX_MIB;
    secure.image_gpa = f->base + 80 * MEMCTX_MIB;
    secure.base_gva += 48 * MEMCTX_MIB;
    secure.export_as = "securekernel.exe";
    secure.pdb = "securekernel.pdb";
    winimg_write(&f->img, &secure);
    secure.image_gpa = f->live.image_gpa;
    secure.base_gva = f->live.base_gva;
    secure.export_as = f->live.export_as;
    secure.pdb = f->live.pdb;
    winimg_add_image(&f->img, &secure);
}

/* The boot before had its own place, or in part that of the live one. */
static void
add_dead(struct fixture *f)
{
    uint64_t before = (60 + below(f, 36000)) * UINT64_C(10000000);
    f->dead = f->live;
    f->dead.next_gpa = f->dead.kuser_gpa = 0;
    f->dead.root_gpa += one_in(f, 2) ? 0x3000 : (uint64_t)-0x3000;
    f->dead.tables_gpa = f->base + 64 * MEMCTX_MIB;
    f->dead.image_gpa = f->base + 96 * MEMCTX_MIB;
    if (!one_in(f, 4))
        f->dead.base_gva += 16 * MEMCTX_MIB;
    if (f->dead.stub_gpa != 0 || one_in(f, 2))
        f->dead.stub_gpa = one_in(f, 2) ? 0x12000 : 0x14000;
    if (!f->dead.build->wide || f->dead.paging == MEMCTX_PAGING_AARCH64_4K_47)
        f->dead.stub_gpa = 0;
    f->dead.created = f->live.created - f->dead.uptime - before;
    if (one_in(f, 2))
        f->dead.shares_kuser = f->live.kuser_gpa;
    else
        f->dead.time -= f->live.uptime + before;
    winimg_write(&f->img, &f->dead);
}

static void
make_ram(const struct fixture *f, struct guestimg *img)
{
    if (f->base == 0)
        guestimg_init(img, RAM, RAM);
    else
        guestimg_init_at(img, RAM, f->base);
}

static void
make_image(struct fixture *f)
{
    f->live = random_kernel(f);
    f->base = f->live.paging == MEMCTX_PAGING_AARCH64_4K_47 ? MEMCTX_GIB : 0;
    make_ram(f, &f->img);
    f->map = guestimg_rammap(&f->img, NULL);
    winimg_write(&f->img, &f->live);
    if (one_in(f, 4))
        add_vtl1(f);
    if (one_in(f, 2))
        add_driver(f, &f->live);
    f->has_dead = !one_in(f, 4);
    if (f->has_dead)
        add_dead(f);
    if (f->has_dead && one_in(f, 3))
        take_pages(f, &f->dead);
    if (!one_in(f, 4))
        take_pages(f, &f->live);
    if (one_in(f, 5))
        wipe_headers(f, &f->live);
}

static void
drop_image(struct fixture *f)
{
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
}

/* ---- answers ------------------------------------------------------------- */

static void
expect_right(struct fixture *f, const struct memctx_kernel *kernel)
{
    const struct winimg_build *build = f->live.build;
    const struct memctx_windows_offsets *offsets =
        &kernel->windows_facts.offsets;
    f->n_right++;
    assert_int_equal(kernel->kcr3, f->live.root_gpa);
    assert_int_equal(kernel->paging, f->live.paging);
    assert_int_equal(kernel->base_gva, f->live.base_gva);
    assert_int_equal(kernel->first_process_gva, f->live.eprocess_gva[0]);
    assert_true(offsets->pid == 0 || offsets->pid == build->pid);
    assert_true(offsets->links == 0 || offsets->links == build->links);
    assert_true(offsets->image_name == 0 ||
                offsets->image_name == build->image_name);
}

/* What `memctx probe` says of a dump. */
static void
ask_dump(struct fixture *f)
{
    struct memctx_search_request request = {.all = true};
    struct memctx_search_result result;
    struct memctx_search *search;
    assert_done(memctx_search_create(&search, &f->err), &f->err);
    if (memctx_search_try(search, f->map, &request, &result, &f->err) == 0)
        expect_right(f, &result.kernels[memctx_search_latest(&result)]);
    else
        assert_int_equal(f->err.kind, MEMCTX_RETRY);
    memctx_search_destroy(search);
}

/* What an agent publishes that comes to a running guest, whose pages come and
 * go. */
static void
ask_agent(struct fixture *f)
{
    struct memctx_bootstrap_request request = {.now_us = 1234 * SECOND};
    struct memctx_bootstrap_result result;
    struct memctx_bootstrap *bootstrap;
    assert_done(memctx_bootstrap_create(&bootstrap, &f->err), &f->err);
    for (int i = 0; i < 6; i++) {
        int failed = i % 3 == 1
                         ? memctx_bootstrap_watch(bootstrap, f->map, &request,
                                                  &result, &f->err)
                         : memctx_bootstrap_try(bootstrap, f->map, &request,
                                                &result, &f->err);
        if (failed == 0)
            expect_right(f, &result.kernel);
        else
            assert_int_equal(f->err.kind, MEMCTX_RETRY);
        if (one_in(f, 8)) /* it is set, by up to a day */
            f->live.time += (uint64_t)(43200 - (int64_t)below(f, 86400)) *
                            UINT64_C(10000000);
        winimg_tick(&f->img, &f->live, 10 * SECOND);
        request.now_us += SECOND;
        if (one_in(f, 3))
            winimg_page(&f->img, &f->live, 0, WINIMG_ALL_OUT, WINIMG_IN);
        else if (one_in(f, 3))
            take_pages(f, &f->live);
    }
    memctx_bootstrap_destroy(bootstrap);
}

/* Copy one of `parts` parts of all pages that are there. */
static void
bring_back(const struct fixture *f, const struct guestimg *to, unsigned part,
           unsigned parts)
{
    unsigned char page[MEMCTX_PAGE_SIZE];
    off_t at = 0;
    while ((at = lseek(f->img.fd, at, SEEK_DATA)) >= 0) {
        uint64_t number = (uint64_t)at / sizeof(page);
        if ((number * UINT64_C(0x9e3779b97f4a7c15) >> 32) % parts == part) {
            assert_int_equal(pread(f->img.fd, page, sizeof(page), at),
                             sizeof(page));
            guestimg_write(to, f->base + (uint64_t)at, page, sizeof(page));
        }
        at += (off_t)sizeof(page);
    }
}

/* A kernel that was hibernated comes back into RAM that was empty, slowly; its
 * clock stands for so long. What is published then is told by nobody to run,
 * but it is the kernel that will. */
static void
ask_resumed(struct fixture *f)
{
    struct memctx_bootstrap_request request = {.now_us = 1234 * SECOND,
                                               .cold = true};
    struct memctx_bootstrap_result result;
    struct memctx_bootstrap *bootstrap;
    struct guestimg ram;
    const unsigned parts = 6;
    make_ram(f, &ram);
    struct memctx_rammap *map = guestimg_rammap(&ram, NULL);
    assert_done(memctx_bootstrap_create(&bootstrap, &f->err), &f->err);
    for (unsigned i = 0; i < 2 * parts; i++) {
        if (i < parts)
            bring_back(f, &ram, i, parts);
        else
            winimg_tick(&ram, &f->live, 10 * SECOND);
        if (memctx_bootstrap_try(bootstrap, map, &request, &result, &f->err) ==
            0)
            expect_right(f, &result.kernel);
        request.now_us += SECOND;
    }
    memctx_bootstrap_destroy(bootstrap);
    memctx_rammap_destroy(map);
    guestimg_deinit(&ram);
}

static void
test_right_or_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = number_of("MEMCTX_TEST_SEED", 20261130);
    uint64_t rounds = number_of("MEMCTX_TEST_ROUNDS", ROUNDS);
    print_message("MEMCTX_TEST_SEED=%llu, %llu rounds\n",
                  (unsigned long long)seed, (unsigned long long)rounds);
    for (uint64_t i = 0; i < rounds; i++) {
        f->random = f->seed = seed + i;
        make_image(f);
        ask_dump(f);
        if (!f->has_dead)
            ask_resumed(f);
        ask_agent(f);
        drop_image(f);
    }
    f->seed = 0;
    print_message("%u answers\n", f->n_right);
    /* Nothing alone would be right, too: most must be found. */
    assert_true(f->n_right > rounds);
}

static int
setup(void **state)
{
    *state = test_calloc(1, sizeof(struct fixture));
    return 0;
}

static int
teardown(void **state)
{
    const struct fixture *f = *state;
    if (f->seed != 0)
        print_message("failed with MEMCTX_TEST_SEED=%llu\n",
                      (unsigned long long)f->seed);
    test_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_right_or_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
