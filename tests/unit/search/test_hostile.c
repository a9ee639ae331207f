/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guests that were made to cost much: a try on each ends within its budget. */
#include "unit.h"

#include "charged.h"
#include "guestimg.h"
#include "search/search.h"
#include "winimg.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (256 * MEMCTX_MIB)
#define ENTRIES 512u
#define TABLE (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE)
#define LARGE_PAGE (2 * MEMCTX_MIB)

/* What looks like the image of a kernel: 32 large pages, of which the first has
 * the tables and the others what the test says. */
#define IMAGE (64 * MEMCTX_MIB)
#define IMAGE_PAGES 32u
#define IMAGE_TABLES (IMAGE + MEMCTX_MIB)
#define ROOTS_MAX 8u

#define BUDGET (8 * MEMCTX_MIB)
#define STEPS 300000u /* what a try may take beside it */
#define TRIES 3

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    void (*fill)(uint64_t gpa, unsigned char *buf, size_t len); /* IMAGE */
    uint64_t reads;
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
    uint64_t begins = IMAGE + LARGE_PAGE;
    uint64_t ends = IMAGE + IMAGE_PAGES * LARGE_PAGE;
    f->reads++;
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

static void
fill_table(struct fixture *f, uint64_t table_gpa, uint64_t entry)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        guestimg_write_le64(&f->img, table_gpa + 8 * i, entry);
}

/* `n` roots of a kernel at IMAGE: the first page is code, the rest data. */
static void
write_image(struct fixture *f, uint64_t tables_gpa, unsigned n)
{
    uint64_t level2 = tables_gpa + PAGE;
    guestimg_write_le64(&f->img, tables_gpa + 510 * 8, level2 | TABLE);
    for (unsigned i = 0; i < IMAGE_PAGES; i++)
        guestimg_write_le64(&f->img, level2 + 8 * i,
                            (IMAGE + i * LARGE_PAGE) | MEMCTX_PTE_PRESENT |
                                MEMCTX_PTE_LARGE |
                                (i > 0 ? MEMCTX_PTE_WRITE : 0));
    for (unsigned i = 1; i <= n; i++) {
        guestimg_write_le64(&f->img, tables_gpa - i * PAGE + 511 * 8,
                            tables_gpa | TABLE);
        guestimg_write_le64(&f->img, tables_gpa - i * PAGE + 273 * 8,
                            level2 | TABLE);
    }
}

static void
fill_with_banners(uint64_t gpa, unsigned char *buf, size_t len)
{
    static const char text[] = "Linux version 6 (";
    for (size_t i = 0; i < len; i++)
        buf[i] = (unsigned char)text[(gpa + i) % (sizeof(text) - 1)];
}

/* Each text looks like the banner of a kernel, in a page where none has it. */
static void
test_banners_without_end(void **state)
{
    struct fixture *f = *state;
    f->fill = fill_with_banners;
    write_image(f, IMAGE_TABLES, 2);
    expect_bounded(f);
}

static void
fill_with_pointers(uint64_t gpa, unsigned char *buf, size_t len)
{
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint64_t word = UINT64_C(0xffff888000000000) + (gpa + i) / 8 * PAGE;
        memcpy(buf + i, &word, sizeof(word));
    }
}

/* Each word of its data is a pointer to another page. */
static void
test_pointers_without_end(void **state)
{
    struct fixture *f = *state;
    f->fill = fill_with_pointers;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t tables = IMAGE_TABLES + i * 16 * PAGE;
        write_image(f, tables, 2);
        guestimg_write_le64(&f->img, 0x90000 + i * PAGE + 511 * 8,
                            tables | TABLE);
    }
    expect_bounded(f);
}

/* An upper table that leads everywhere to one lower table, which leads
 * everywhere to an empty one: 2^27 entries that map nothing, in three pages. */
static void
test_tables_that_are_empty_without_end(void **state)
{
    struct fixture *f = *state;
    struct winimg w = winimg(19045, MEMCTX_PAGING_X86_64_4LEVEL);
    winimg_write(&f->img, &w);
    uint64_t upper =
        guestimg_read_le64(&f->img, w.root_gpa + 0x1f0 * 8) & MEMCTX_PTE_FRAME;
    uint64_t lower = 200 * MEMCTX_MIB;
    fill_table(f, upper, lower | TABLE);
    fill_table(f, lower, (lower + PAGE) | TABLE);
    guestimg_touch(&f->img, lower + PAGE, 1);
    guestimg_write_le64(&f->img, lower + PAGE, 0);
    expect_bounded(f);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_banners_without_end),
        T(test_pointers_without_end),
        T(test_tables_that_are_empty_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
