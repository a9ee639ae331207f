/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The log of kernels before 5.10, as printk.c of Linux 4.19 writes it. */
#include "unit.h"

#include <endian.h>

#include "charged.h"
#include "explain/printk.h"
#include "guestimg.h"

#define ROOT (2 * MEMCTX_MIB)
#define LOG_GPA (8 * MEMCTX_MIB)
#define LOG_GVA UINT64_C(0xffffffff83000000)
#define P MEMCTX_PTE_PRESENT

/* Where everything is, in bytes from the beginning of the log's memory. */
#define BUF 0x100 /* the pointer to the buffer */
#define LEN 0x108
#define FIRST 0x10c
#define NEXT 0x110
#define BYTES 0x1000
#define SIZE 512u
#define HEADER 16u

static const char *const note = "OSRELEASE=4.19.0\n"
                                "SYMBOL(log_buf)=ffffffff83000100\n"
                                "SYMBOL(log_buf_len)=ffffffff83000108\n"
                                "SYMBOL(log_first_idx)=ffffffff8300010c\n"
                                "SYMBOL(log_next_idx)=ffffffff83000110\n"
                                "SIZE(printk_log)=16\n"
                                "OFFSET(printk_log.ts_nsec)=0\n"
                                "OFFSET(printk_log.len)=8\n"
                                "OFFSET(printk_log.text_len)=10\n"
                                "OFFSET(printk_log.dict_len)=12\n";

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_work work;
    struct memctx_kernel kernel;
    struct memctx_target target;
    uint32_t first;
    uint32_t next;
    uint32_t used; /* from first to next */
    struct memctx_printk *printk;
    struct memctx_printk_record record;
    struct memctx_error err;
};

static void
write_le32(const struct fixture *f, uint64_t at, uint32_t value)
{
    uint32_t raw = htole32(value);
    guestimg_write(&f->img, LOG_GPA + at, &raw, sizeof(raw));
}

static void
write_le16(const struct fixture *f, uint64_t at, uint16_t value)
{
    uint16_t raw = htole16(value);
    guestimg_write(&f->img, LOG_GPA + at, &raw, sizeof(raw));
}

static uint16_t
length_at(const struct fixture *f, uint32_t at)
{
    return (uint16_t)guestimg_read_le64(&f->img, LOG_GPA + BYTES + at + 8);
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    const struct guestimg_space space = {ROOT, 4};
    guestimg_init(&f->img, 32 * MEMCTX_MIB, 32 * MEMCTX_MIB);
    guestimg_map_range(&f->img, &space, LOG_GVA, LOG_GPA, 16 * MEMCTX_PAGE_SIZE,
                       MEMCTX_PAGE_SIZE, P);
    guestimg_write_le64(&f->img, LOG_GPA + BUF, LOG_GVA + BYTES);
    write_le32(f, LEN, SIZE);
    write_le32(f, FIRST, 0);
    write_le32(f, NEXT, 0);
    f->map = guestimg_rammap(&f->img, NULL);
    charge_map(&f->map, &f->work, MEMCTX_PRINTK_STEPS);
    f->kernel.kcr3 = ROOT;
    f->kernel.paging = MEMCTX_PAGING_X86_64_4LEVEL;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_printk_close(f->printk);
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

/* log_make_free_space(): the oldest records go, a mark at the end with them. */
static void
free_space(struct fixture *f, uint32_t wanted)
{
    while (SIZE - f->used < wanted) {
        uint32_t len = length_at(f, f->first);
        uint32_t gone = len != 0 ? len : SIZE - f->first;
        f->first = (f->first + gone) % SIZE;
        f->used -= gone;
    }
}

static void
add(struct fixture *f, unsigned level, uint64_t ts_nsec, const char *text)
{
    uint32_t len =
        (uint32_t)memctx_round_up(HEADER + strlen(text), sizeof(uint32_t));
    /* A record and the mark behind it must fit. */
    if (f->next + len + HEADER > SIZE) {
        free_space(f, SIZE - f->next + len + HEADER);
        write_le16(f, BYTES + f->next + 8, 0);
        f->used += SIZE - f->next;
        f->next = 0;
    }
    free_space(f, len + HEADER);
    uint64_t at = BYTES + f->next;
    const unsigned char bits[2] = {(unsigned char)(level >> 3),
                                   (unsigned char)((level & 7) << 5 | 2)};
    guestimg_write_le64(&f->img, LOG_GPA + at, ts_nsec);
    write_le16(f, at + 8, (uint16_t)len);
    write_le16(f, at + 10, (uint16_t)strlen(text));
    write_le16(f, at + 12, 0);
    guestimg_write(&f->img, LOG_GPA + at + 14, bits, sizeof(bits));
    guestimg_write(&f->img, LOG_GPA + at + HEADER, text, strlen(text));
    f->next += len;
    f->used += len;
    write_le32(f, FIRST, f->first);
    write_le32(f, NEXT, f->next);
}

static void
add_number(struct fixture *f, unsigned number)
{
    char text[80];
    snprintf(text, sizeof(text), "%u: %.*s", number, (int)(number * 7 % 60),
             "an example of a line that is as long as it has to be to be it");
    add(f, 6, number * UINT64_C(1000), text);
}

static int
open_as(struct fixture *f, const char *text)
{
    memctx_printk_close(f->printk);
    f->printk = NULL;
    memctx_target_init(&f->target, f->map, &f->kernel, text, strlen(text));
    return memctx_printk_open(&f->target, &f->printk, &f->err);
}

static int
next(struct fixture *f, enum memctx_printk_reach reach)
{
    return memctx_printk_next(f->printk, reach, &f->record, &f->err);
}

static unsigned
number_of(const struct fixture *f)
{
    return (unsigned)strtoul(f->record.text, NULL, 10);
}

static void
test_records_in_order(void **state)
{
    struct fixture *f = *state;
    add(f, 5, 0, "Linux version 4.19");
    add(f, 30 << 3 | 3, UINT64_C(12345678901), "two\nlines");
    assert_done(open_as(f, note), &f->err);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
    assert_int_equal(f->record.seq, 0);
    assert_int_equal(f->record.level, 5);
    assert_int_equal(f->record.len_bytes, 18);
    assert_memory_equal(f->record.text, "Linux version 4.19", 18);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
    assert_int_equal(f->record.seq, 1);
    assert_int_equal(f->record.level, 3);
    assert_int_equal(f->record.facility, 30);
    assert_int_equal(f->record.flags, 2);
    assert_true(f->record.ts_nsec == UINT64_C(12345678901));
    assert_memory_equal(f->record.text, "two\nlines", 9);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 0);
    assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 0);
}

static void
test_buffer_that_wraps(void **state)
{
    struct fixture *f = *state;
    for (unsigned n = 1; n < 200; n++) {
        unsigned got = 0;
        add_number(f, n - 1);
        assert_done(open_as(f, note), &f->err);
        for (unsigned last = 0; next(f, MEMCTX_PRINTK_STANDS) == 1; got++) {
            assert_int_equal(f->record.ts_nsec, number_of(f) * 1000);
            assert_true(got == 0 || number_of(f) == last + 1);
            last = number_of(f);
        }
        assert_int_equal(number_of(f), n - 1);
        assert_true(got >= memctx_min(n, 5));
    }
}

static void
test_growing_buffer_goes_on_where_it_was(void **state)
{
    struct fixture *f = *state;
    assert_done(open_as(f, note), &f->err);
    for (unsigned i = 0; i < 100; i++) {
        add_number(f, i);
        assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
        assert_int_equal(number_of(f), i);
        assert_int_equal(f->record.seq, i);
        assert_int_equal(f->record.lost, 0);
        assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 0);
    }
    for (unsigned i = 100; i < 150; i++)
        add_number(f, i);
    assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
    assert_true(number_of(f) > 100);
    assert_int_equal(f->record.lost, 1);
    assert_int_equal(f->record.seq, 100);
    assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
    assert_int_equal(f->record.lost, 0);
}

static void
test_lengths_that_are_not_sane(void **state)
{
    struct fixture *f = *state;
    static const uint16_t lies[] = {1, 12, 15, 0xffff, 18, 508};
    add(f, 6, 0, "first line");
    add(f, 6, 0, "second");
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lies); i++) {
        write_le16(f, BYTES + 8, lies[i]);
        assert_done(open_as(f, note), &f->err);
        assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 0);
        assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 0);
    }
    /* A mark at the very beginning, and one behind it. */
    write_le16(f, BYTES + 8, 0);
    assert_done(open_as(f, note), &f->err);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 0);
    /* A text that is longer than its record is cut. */
    write_le16(f, BYTES + 8, 28);
    write_le16(f, BYTES + 10, 0xffff);
    assert_done(open_as(f, note), &f->err);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
    assert_int_equal(f->record.len_bytes, 12);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
    assert_memory_equal(f->record.text, "second", 6);
}

static void
test_buffer_that_is_not_sane(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned at;
        uint32_t value;
        uint32_t before;
    } lies[] = {{LEN, 0, SIZE},        {LEN, 60, SIZE},  {LEN, 513, SIZE},
                {LEN, 1u << 26, SIZE}, {FIRST, SIZE, 0}, {NEXT, SIZE, 0},
                {NEXT, UINT32_MAX, 0}};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lies); i++) {
        write_le32(f, lies[i].at, lies[i].value);
        assert_done(open_as(f, note), &f->err);
        assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), -1);
        assert_int_equal(f->err.kind, MEMCTX_RETRY);
        write_le32(f, lies[i].at, lies[i].before);
    }
    guestimg_write_le64(&f->img, LOG_GPA + BUF, 16);
    assert_done(open_as(f, note), &f->err);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
}

static void
test_note_that_is_not_sane(void **state)
{
    struct fixture *f = *state;
    static const char *const lies[] = {
        "SIZE(printk_log)=65\n", "SIZE(printk_log)=15\n",
        "OFFSET(printk_log.ts_nsec)=9\n", "OFFSET(printk_log.len)=-1\n",
        "OFFSET(printk_log.dict_len)=13\n"};
    char text[2048];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lies); i++) {
        /* Of a key that comes twice the first counts. */
        snprintf(text, sizeof(text), "%s%s", lies[i], note);
        assert_int_equal(open_as(f, text), -1);
        assert_int_equal(f->err.kind, MEMCTX_PERMANENT);
    }
}

static void
test_work_runs_out(void **state)
{
    struct fixture *f = *state;
    add(f, 6, 0, "line");
    assert_done(open_as(f, note), &f->err);
    memctx_work_begin(&f->work, 5, NULL, NULL);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
}

static void
test_head_is_where_the_next_record_begins(void **state)
{
    struct fixture *f = *state;
    uint64_t gpa;
    unsigned bytes;
    memctx_target_init(&f->target, f->map, &f->kernel, note, strlen(note));
    assert_done(memctx_printk_head(&f->target, &gpa, &bytes, &f->err), &f->err);
    assert_int_equal(gpa, LOG_GPA + NEXT);
    assert_int_equal(bytes, 4);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_records_in_order),
        T(test_buffer_that_wraps),
        T(test_growing_buffer_goes_on_where_it_was),
        T(test_lengths_that_are_not_sane),
        T(test_buffer_that_is_not_sane),
        T(test_note_that_is_not_sane),
        T(test_work_runs_out),
        T(test_head_is_where_the_next_record_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
