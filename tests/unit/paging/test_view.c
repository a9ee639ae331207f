/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guest-virtual memory, kept page by page, and what may be read of it. */
#include "unit.h"

#include "charged.h"
#include "guestimg.h"
#include "paging/view.h"

#define PAGE MEMCTX_PAGE_SIZE
#define ROOT (2 * MEMCTX_MIB)
#define GVA UINT64_C(0xfffff80000010000)
#define P MEMCTX_PTE_PRESENT

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_view view;
    struct memctx_work work;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    const struct guestimg_space four = {ROOT, 4};
    guestimg_init(&f->img, 16 * MEMCTX_MIB, 16 * MEMCTX_MIB);
    guestimg_map(&f->img, &four, GVA, 0x700000, PAGE, P);
    guestimg_map(&f->img, &four, GVA + PAGE, 0x600000, PAGE, P);
    guestimg_map(&f->img, &four, GVA + MEMCTX_VIEW_PAGES * PAGE, 0x500000, PAGE,
                 P);
    f->map = guestimg_rammap(&f->img, NULL);
    charge_map(&f->map, &f->work, 100);
    memctx_view_init(&f->view, f->map, MEMCTX_PAGING_X86_64_4LEVEL, ROOT);
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
test_read_across_pages(void **state)
{
    struct fixture *f = *state;
    char text[11] = "";
    guestimg_write(&f->img, 0x700000 + PAGE - 5, "hello", 5);
    guestimg_write(&f->img, 0x600000, "world", 5);
    assert_done(memctx_view_read(&f->view, GVA + PAGE - 5, text, 10, &f->err),
                &f->err);
    assert_string_equal(text, "helloworld");
}

static void
test_page_is_read_once(void **state)
{
    struct fixture *f = *state;
    uint64_t value;
    assert_done(memctx_view_le64(&f->view, GVA + 8, &value, &f->err), &f->err);
    uint64_t left = f->work.left;
    assert_in_range(left, 90, 95);
    for (unsigned i = 0; i < 10 * MEMCTX_WORK_LOOKS; i++)
        assert_done(memctx_view_le64(&f->view, GVA + 8, &value, &f->err),
                    &f->err);
    assert_int_equal(f->work.left, left - 10);
}

/* Two pages of one slot: each is what it is. */
static void
test_page_that_takes_anothers_place(void **state)
{
    struct fixture *f = *state;
    uint32_t value;
    guestimg_write(&f->img, 0x700000, "one", 4);
    guestimg_write(&f->img, 0x500000, "two", 4);
    for (int i = 0; i < 3; i++) {
        char text[4];
        assert_done(memctx_view_read(&f->view, GVA, text, 4, &f->err), &f->err);
        assert_string_equal(text, "one");
        assert_done(memctx_view_read(&f->view, GVA + MEMCTX_VIEW_PAGES * PAGE,
                                     text, 4, &f->err),
                    &f->err);
        assert_string_equal(text, "two");
    }
    assert_int_equal(
        memctx_view_le32(&f->view, GVA + 2 * PAGE, &value, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, "is not mapped");
}

static void
test_no_work_left(void **state)
{
    struct fixture *f = *state;
    uint16_t value;
    assert_done(memctx_view_le16(&f->view, GVA, &value, &f->err), &f->err);
    f->work.left = 4;
    assert_int_equal(memctx_view_le16(&f->view, GVA + PAGE, &value, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, "more work than it may be");
    /* Nor does a page help that is kept, for long. */
    int failed = 0;
    for (unsigned i = 0; i < MEMCTX_WORK_LOOKS; i++)
        failed += memctx_view_le16(&f->view, GVA, &value, &f->err);
    assert_int_equal(failed, -1);
    assert_error(&f->err, MEMCTX_RETRY, "more work than it may be");
}

static void
test_texts(void **state)
{
    struct fixture *f = *state;
    char text[8];
    guestimg_write(&f->img, 0x700000, "a\tb\xff", 5);
    assert_done(memctx_view_text(&f->view, GVA, text, sizeof(text), &f->err),
                &f->err);
    assert_string_equal(text, "a?b?");
    guestimg_write(&f->img, 0x600000, "12345678", 9);
    assert_int_equal(
        memctx_view_text(&f->view, GVA + PAGE, text, sizeof(text), &f->err),
        -1);
    assert_error(&f->err, MEMCTX_RETRY, "has no end");
    assert_int_equal(
        memctx_view_text(&f->view, UINT64_MAX, text, sizeof(text), &f->err),
        -1);
}

/* A read that reaches beyond the last address ends there. */
static void
test_end_of_the_address_space(void **state)
{
    struct fixture *f = *state;
    const struct guestimg_space four = {ROOT, 4};
    char bytes[16];
    guestimg_map(&f->img, &four, UINT64_C(0xfffffffffffff000), 0x700000, PAGE,
                 P);
    guestimg_map(&f->img, &four, 0, 0x600000, PAGE, P);
    assert_done(memctx_view_read(&f->view, UINT64_MAX - 15, bytes, 16, &f->err),
                &f->err);
    assert_int_equal(
        memctx_view_read(&f->view, UINT64_MAX - 7, bytes, 16, &f->err), -1);
}

static void
test_pointers_have_the_size_of_the_space(void **state)
{
    struct fixture *f = *state;
    uint64_t pointer;
    guestimg_write_le64(&f->img, 0x700000, UINT64_C(0xfffff80012345678));
    assert_int_equal(memctx_view_pointer_size(&f->view), 8);
    assert_done(memctx_view_pointer(&f->view, GVA, &pointer, &f->err), &f->err);
    assert_true(pointer == UINT64_C(0xfffff80012345678));
    const struct guestimg_space pae = {0x3000, 3};
    guestimg_map(&f->img, &pae, 0x80010000, 0x700000, PAGE, P);
    memctx_view_init(&f->view, f->map, MEMCTX_PAGING_X86_PAE, 0x3000);
    assert_int_equal(memctx_view_pointer_size(&f->view), 4);
    assert_done(memctx_view_pointer(&f->view, 0x80010000, &pointer, &f->err),
                &f->err);
    assert_true(pointer == 0x12345678);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_read_across_pages),
        T(test_page_is_read_once),
        T(test_page_that_takes_anothers_place),
        T(test_no_work_left),
        T(test_texts),
        T(test_end_of_the_address_space),
        T(test_pointers_have_the_size_of_the_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
