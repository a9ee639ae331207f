/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guests that were made to cost much: a try on each ends within its budget. */
#include "unit.h"

#include "charged.h"
#include "guestimg.h"
#include "hostileimg.h"
#include "search/search.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (256 * MEMCTX_MIB)

/* An image of a Linux, whose first large page has the tables. */
#define IMAGE (64 * MEMCTX_MIB)
#define TABLES (IMAGE + MEMCTX_MIB)

#define BUDGET (8 * MEMCTX_MIB)
#define STEPS 300000u /* what a try may take beside it */
#define TRIES 3

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    void (*fill)(uint64_t gpa, unsigned char *buf, size_t len); /* IMAGE */
    uint64_t reads;
    uint64_t bytes; /* read */
    struct memctx_work work;
    struct memctx_search *search;
    struct memctx_error err;
};

/* The image behind its first page is not in memory: 64 MiB of any text cost
 * nothing to have. */
static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    struct fixture *f = source->arg;
    uint64_t begins = IMAGE + HOSTILEIMG_PAGE;
    uint64_t ends = IMAGE + HOSTILEIMG_SIZE;
    f->reads++;
    f->bytes += len_bytes;
    ssize_t n = pread(source->fd, buf, len_bytes, (off_t)offset);
    if (f->fill != NULL && offset >= begins && offset < ends)
        f->fill(offset, buf, (size_t)memctx_min(len_bytes, ends - offset));
    return n;
}

static int
next_data(const struct memctx_source *source, uint64_t offset, uint64_t limit,
          uint64_t *start, uint64_t *end)
{
    off_t data = lseek(source->fd, (off_t)offset, SEEK_DATA);
    if (data < 0 || (uint64_t)data >= limit)
        return 0;
    *start = (uint64_t)data;
    *end = memctx_min((uint64_t)lseek(source->fd, data, SEEK_HOLE), limit);
    return 1;
}

static int
setup(void **state)
{
    static const struct memctx_backend_io io = {read_at, next_data};
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    const struct memctx_source source = {guestimg_open(&f->img), -1, -1, 0, f};
    const struct memctx_extent all = {0, RAM, 0, 0};
    unsigned index;
    assert_done(memctx_rammap_create(&f->map, &f->err), &f->err);
    assert_done(memctx_rammap_add_source(f->map, "ram", &source, RAM, &io,
                                         &index, &f->err),
                &f->err);
    assert_done(memctx_rammap_add_extent(f->map, &all, &f->err), &f->err);
    charge_map(&f->map, &f->work, 0);
    assert_done(memctx_search_create(&f->search, &f->err), &f->err);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_search_destroy(f->search);
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

/* Where nothing but time would tell that a loop costs nothing, the test takes
 * for ever. */
static void
try_within_budget(struct fixture *f, bool all)
{
    static struct memctx_search_result result;
    const struct memctx_search_request request = {.budget_bytes = BUDGET,
                                                  .all = all};
    f->reads = 0;
    f->bytes = 0;
    memctx_work_begin(&f->work, STEPS, NULL, NULL);
    assert_int_equal(
        memctx_search_try(f->search, f->map, &request, &result, &f->err), -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
    assert_in_range(f->reads, 1, STEPS);
}

static void
expect_bounded(struct fixture *f)
{
    for (int i = 0; i < TRIES; i++)
        try_within_budget(f, false);
    try_within_budget(f, true);
}

/* Each text looks like the banner of a kernel, in a page where none has it. */
static void
test_banners_without_end(void **state)
{
    struct fixture *f = *state;
    f->fill = hostileimg_banners;
    hostileimg_add_roots(&f->img, IMAGE, TABLES, 2);
    expect_bounded(f);
}

/* The same, and one in the code, where a kernel has it: from there on each of
 * the others may be followed by what goes with it. To look at them takes ten
 * times what it takes to read them. */
static void
test_texts_without_end(void **state)
{
    struct fixture *f = *state;
    unsigned char text[64];
    f->fill = hostileimg_banners;
    hostileimg_banners(0, text, sizeof(text));
    guestimg_write(&f->img, IMAGE, text, sizeof(text));
    hostileimg_add_roots(&f->img, IMAGE, TABLES, 8);
    expect_bounded(f);
    assert_in_range(f->bytes, 1, STEPS * PAGE / 10);
}

/* Each word of the data of four images is a pointer to another page. */
static void
test_pointers_without_end(void **state)
{
    struct fixture *f = *state;
    f->fill = hostileimg_pointers;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t tables = TABLES + i * 16 * PAGE;
        hostileimg_add_roots(&f->img, IMAGE - i * HOSTILEIMG_PAGE, tables, 2);
        hostileimg_add_trampoline(&f->img, i, tables);
    }
    expect_bounded(f);
}

/* Tables that take no memory, and that a walk never comes to the end of. */
static void
test_tables_that_are_empty_without_end(void **state)
{
    struct fixture *f = *state;
    hostileimg_add_windows(&f->img, IMAGE, 8);
    expect_bounded(f);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_banners_without_end),
        T(test_texts_without_end),
        T(test_pointers_without_end),
        T(test_tables_that_are_empty_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
