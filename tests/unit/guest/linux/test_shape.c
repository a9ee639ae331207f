/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel without VMCOREINFO: its root is found and proved by shape, and the
 * many pages that look like one are not taken for it. */
#include "unit.h"

#include <stdlib.h>

#include "guestimg.h"
#include "guest/guest.h"
#include "guest/linux/clue.h"
#include "guest/linux/shape.h"
#include "search/revalidate.h"
#include "search/search.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (128 * MEMCTX_MIB)
#define BANNER_AT (MEMCTX_MIB + 123) /* in .rodata of the image */
#define BANNER "Linux version 6.1.0-13-amd64 (debian@example) (gcc-12) #1 SMP\n"

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct guestimg_kernel kernel;
    struct memctx_kernel found;
    struct memctx_linux_image image;
    struct memctx_error err;
};

static void
build(struct fixture *f, int levels, uint64_t trampoline_gpa)
{
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    guestimg_init(&f->img, RAM, RAM);
    f->kernel = guestimg_kernel();
    f->kernel.levels = levels;
    f->kernel.trampoline_gpa = trampoline_gpa;
    f->kernel.bare_gpa = 0;
    f->kernel.note_gpa = 0;
    guestimg_add_kernel(&f->img, &f->kernel);
    guestimg_write(&f->img, f->kernel.text_gpa + BANNER_AT, BANNER,
                   sizeof(BANNER));
    f->map = guestimg_rammap(&f->img, NULL);
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    build(f, 4, 0);
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

static void
find(struct fixture *f, uint64_t root_gpa)
{
    assert_done(memctx_linux_shape_verify(f->map, root_gpa, false, &f->found,
                                          &f->image, &f->err),
                &f->err);
}

static void
refuse(struct fixture *f, uint64_t root_gpa, const char *words)
{
    assert_int_equal(memctx_linux_shape_verify(f->map, root_gpa, false,
                                               &f->found, &f->image, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

/* A copy of the root's page elsewhere, as a task's root has the kernel half. */
static void
copy_root(struct fixture *f, uint64_t to_gpa)
{
    for (uint64_t i = 0; i < PAGE; i += 8)
        guestimg_write_le64(
            &f->img, to_gpa + i,
            guestimg_read_le64(&f->img, f->kernel.root_gpa + i));
}

static void
test_root_is_proved(void **state)
{
    struct fixture *f = *state;
    for (int levels = 4; levels <= 5; levels++) {
        build(f, levels, 0);
        find(f, f->kernel.root_gpa);
        assert_int_equal(f->found.kcr3, f->kernel.root_gpa);
        assert_int_equal(f->found.paging, levels == 4
                                              ? MEMCTX_PAGING_X86_64_4LEVEL
                                              : MEMCTX_PAGING_X86_64_5LEVEL);
        assert_string_equal(f->found.version, "6.1.0-13-amd64");
        assert_string_equal(f->found.identity, "");
        assert_int_equal(f->found.base_gva, f->kernel.text_gva);
        assert_int_equal(f->found.linux_facts.phys_base, f->kernel.phys_base);
        assert_int_equal(f->found.linux_facts.vmcoreinfo_size, 0);
    }
}

static void
test_roots_of_tasks(void **state)
{
    struct fixture *f = *state;
    /* On a page of its own, */
    copy_root(f, 40 * MEMCTX_MIB);
    refuse(f, 40 * MEMCTX_MIB, "not where the image has its own");
    /* and on one of the image that was freed. */
    copy_root(f, f->kernel.root_gpa - 64 * PAGE);
    refuse(f, f->kernel.root_gpa - 64 * PAGE, "not where the image has its");
    /* With a user half. */
    guestimg_write_le64(&f->img, f->kernel.root_gpa + 8,
                        0x5000 | MEMCTX_PTE_PRESENT | MEMCTX_PTE_USER);
    refuse(f, f->kernel.root_gpa, "does not have the shape of a root");
}

/* The page behind the root, as KPTI has it: entry 511 leads to tables that map
 * no image. */
static void
test_user_half_of_kpti(void **state)
{
    struct fixture *f = *state;
    uint64_t half = f->kernel.root_gpa + PAGE;
    copy_root(f, half);
    guestimg_write_le64(&f->img, half + 511 * 8,
                        (50 * MEMCTX_MIB) | MEMCTX_PTE_PRESENT);
    refuse(f, half, "entry 511 leads to no kernel's image");
}

/* level4_kernel_pgt of a kernel with 5 levels has cpu_entry_area beside entry
 * 511, but no direct map. */
static void
test_table_below_the_root_is_none(void **state)
{
    (void)state;
    unsigned char page[PAGE] = {0};
    page[511 * 8] = 1;
    assert_false(memctx_linux_shape_is_clue(page, 0x5000));
    page[508 * 8] = 1;
    assert_false(memctx_linux_shape_is_clue(page, 0x5000));
    page[280 * 8] = 1;
    assert_true(memctx_linux_shape_is_clue(page, 0x5000));
    assert_false(memctx_linux_shape_is_clue(page, 0));
    page[511 * 8] = 0x81;
    assert_false(memctx_linux_shape_is_clue(page, 0x5000));
}

/* From the first page that looks like a root to the last one, of many in the
 * block; the name of a note is worth another look at all of it, if that is a
 * thorough one. */
static void
test_part_of_a_block_that_hides_clues(void **state)
{
    (void)state;
    static unsigned char bytes[16 * PAGE];
    const struct memctx_block block = {
        .gpa = 0x100000, .bytes = bytes, .len_bytes = sizeof(bytes)};
    assert_int_equal(memctx_linux_hides(&block, true).size, 0);
    for (size_t page = 5; page <= 9; page += 4)
        bytes[page * PAGE + 511 * 8] = bytes[page * PAGE + 280 * 8] = 1;
    struct memctx_range part = memctx_linux_hides(&block, true);
    assert_int_equal(part.gpa, 0x100000 + 5 * PAGE);
    assert_int_equal(part.size, 5 * PAGE);
    memcpy(bytes + 14 * PAGE + 12, "VMCOREINFO", 10);
    part = memctx_linux_hides(&block, false);
    assert_int_equal(part.size, 5 * PAGE);
    part = memctx_linux_hides(&block, true);
    assert_int_equal(part.gpa, 0x100000);
    assert_int_equal(part.size, sizeof(bytes));
}

static void
make_writable(struct fixture *f)
{
    uint64_t entry =
        f->kernel.root_gpa + 3 * PAGE + (f->kernel.text_gva >> 21 & 0x1ff) * 8;
    guestimg_write_le64(&f->img, entry,
                        f->kernel.text_gpa | MEMCTX_PTE_PRESENT |
                            MEMCTX_PTE_WRITE | MEMCTX_PTE_LARGE);
}

/* Before its initcalls are over the kernel's code is writable: VMCOREINFO may
 * be about to come. */
static void
test_kernel_that_still_boots(void **state)
{
    struct fixture *f = *state;
    make_writable(f);
    refuse(f, f->kernel.root_gpa, "does not begin with read-only code");
}

static void
put_banner(struct fixture *f, uint64_t gpa, const char *text)
{
    char none[sizeof(BANNER)] = "";
    guestimg_write(&f->img, f->kernel.text_gpa + BANNER_AT, none, sizeof(none));
    guestimg_write(&f->img, gpa, text, strlen(text) + 1);
}

static void
test_banners_that_are_none(void **state)
{
    struct fixture *f = *state;
    uint64_t at = f->kernel.text_gpa + BANNER_AT;
    static const char *const texts[] = {
        "",
        "Linux version %s (%s)",
        "Linux version 6.1.0-13-amd64",
        "Linux version 6.1.0-13-amd64\n(x)",
        "Linux version \xff",
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(texts); i++) {
        put_banner(f, at, texts[i]);
        refuse(f, f->kernel.root_gpa, "has no \"Linux version ...\"");
    }
    /* Another kernel's, or of a log: in writable memory. */
    put_banner(f, at, "Linux version 5.10.0 (x)");
    refuse(f, f->kernel.root_gpa, "has no init_uts_ns");
    put_banner(f, f->kernel.uts_gpa - PAGE, BANNER);
    refuse(f, f->kernel.root_gpa, "has no \"Linux version ...\"");
    /* It straddles two blocks of the scan. */
    put_banner(f, f->kernel.text_gpa + MEMCTX_MIB - 20, BANNER);
    find(f, f->kernel.root_gpa);
}

static struct memctx_search_result *
search(struct fixture *f, bool all, unsigned tries)
{
    struct memctx_search *search;
    struct memctx_search_result *result = test_malloc(sizeof(*result));
    const struct memctx_search_request request = {.all = all};
    assert_done(memctx_search_create(&search, &f->err), &f->err);
    while (tries-- > 0 &&
           memctx_search_try(search, f->map, &request, result, &f->err) < 0)
        ;
    memctx_search_destroy(search);
    return result;
}

/* One try after the other, it comes when two rounds found nothing better. */
static void
test_search_guesses_last(void **state)
{
    struct fixture *f = *state;
    copy_root(f, 40 * MEMCTX_MIB);
    struct memctx_search_result *result = search(f, true, 1);
    assert_int_equal(result->n_kernels, 1);
    assert_string_equal(result->kernels[0].found, "without-note");
    test_free(result);
    result = search(f, false, 2);
    assert_int_equal(result->n_kernels, 0);
    test_free(result);
    result = search(f, false, 4);
    assert_int_equal(result->n_kernels, 1);
    assert_int_equal(result->kernels[0].kcr3, f->kernel.root_gpa);
    assert_done(memctx_revalidate(f->map, &result->kernels[0], &f->err),
                &f->err);
    test_free(result);
}

/* The trampoline leads to it at the first try, however little that may read. */
static void
test_trampoline_leads_to_it(void **state)
{
    struct fixture *f = *state;
    for (int levels = 4; levels <= 5; levels++) {
        build(f, levels, 0x99000);
        struct memctx_search_result *result = search(f, false, 1);
        assert_int_equal(result->n_kernels, 1);
        assert_string_equal(result->kernels[0].found, "without-note");
        assert_int_equal(result->kernels[0].kcr3, f->kernel.root_gpa);
        test_free(result);
    }
}

/* Before 4.13 the note is a variable of the kernel's. It is the better clue. */
static void
test_note_among_variables_is_preferred(void **state)
{
    struct fixture *f = *state;
    build(f, 4, 0x99000);
    guestimg_write_note(&f->img, f->kernel.bss_gpa + 0x104, f->kernel.text,
                        f->kernel.text_len);
    struct memctx_search_result *result = search(f, false, 1);
    assert_int_equal(result->n_kernels, 1);
    assert_string_equal(result->kernels[0].found, "vmcoreinfo-note");
    assert_int_equal(result->kernels[0].clue_gpa, f->kernel.bss_gpa + 0x104);
    test_free(result);
}

/* A note that was found and whose kernel is not accepted yet: its root is not
 * gone through once more. */
static bool
refuse_all(const struct memctx_kernel *kernel, void *arg)
{
    unsigned *asked = arg;
    (*asked)++;
    assert_string_equal(kernel->found, "vmcoreinfo-note");
    return false;
}

static void
test_root_of_a_noted_kernel_is_known(void **state)
{
    struct fixture *f = *state;
    struct memctx_search *search;
    struct memctx_search_result *result = test_malloc(sizeof(*result));
    unsigned asked = 0;
    const struct memctx_search_request request = {
        .budget_bytes = PAGE, .accept = refuse_all, .accept_arg = &asked};
    build(f, 4, 0x99000);
    guestimg_write_note(&f->img, f->kernel.bss_gpa + 0x104, f->kernel.text,
                        f->kernel.text_len);
    assert_done(memctx_search_create(&search, &f->err), &f->err);
    assert_int_equal(
        memctx_search_try(search, f->map, &request, result, &f->err), -1);
    assert_int_equal(asked, 2);
    memctx_search_destroy(search);
    test_free(result);
}

static void
test_note_is_preferred(void **state)
{
    struct fixture *f = *state;
    guestimg_write_note(&f->img, 48 * MEMCTX_MIB, f->kernel.text,
                        f->kernel.text_len);
    struct memctx_search_result *result = search(f, true, 1);
    assert_int_equal(result->n_kernels, 1);
    assert_string_equal(result->kernels[0].found, "vmcoreinfo-note");
    test_free(result);
}

/* RAM copied soon after a reset: the old kernel stands whole, the new one still
 * writes its code. */
static void
test_kernel_that_boots_beside_an_old_one(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel old = guestimg_kernel();
    struct memctx_search *search;
    struct memctx_search_result *result = test_malloc(sizeof(*result));
    struct memctx_search_request request = {.all = true, .every = true};
    old.text_gpa = 64 * MEMCTX_MIB;
    old.slide = 32 * MEMCTX_MIB;
    guestimg_add_kernel(&f->img, &old);
    make_writable(f);
    assert_done(memctx_search_create(&search, &f->err), &f->err);
    assert_done(memctx_search_try(search, f->map, &request, result, &f->err),
                &f->err);
    assert_int_equal(result->n_kernels, 2);
    assert_string_equal(result->kernels[0].found, "vmcoreinfo-note");
    assert_int_equal(result->kernels[0].kcr3, old.root_gpa);
    assert_int_equal(result->kernels[1].kcr3, f->kernel.root_gpa);
    assert_string_equal(result->kernels[1].checks, "image,banner,uts");
    /* Who asks for the kernel that runs must not get one that is not whole. */
    request.every = false;
    assert_done(memctx_search_try(search, f->map, &request, result, &f->err),
                &f->err);
    assert_int_equal(result->n_kernels, 1);
    memctx_search_destroy(search);
    test_free(result);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_root_is_proved),
        T(test_roots_of_tasks),
        T(test_user_half_of_kpti),
        T(test_table_below_the_root_is_none),
        T(test_part_of_a_block_that_hides_clues),
        T(test_kernel_that_still_boots),
        T(test_banners_that_are_none),
        T(test_search_guesses_last),
        T(test_note_is_preferred),
        T(test_trampoline_leads_to_it),
        T(test_kernel_that_boots_beside_an_old_one),
        T(test_note_among_variables_is_preferred),
        T(test_root_of_a_noted_kernel_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
