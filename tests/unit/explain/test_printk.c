/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The log of 5.10 and later: what is read of it, also while it is written, and
 * of one that is a lie. */
#include "unit.h"

#include <inttypes.h>

#include "charged.h"
#include "explain/printk.h"
#include "logimg.h"
#include "ram/file.h"

#define ROOT (2 * MEMCTX_MIB)
#define LOG_GPA (8 * MEMCTX_MIB)
#define LOG_GVA UINT64_C(0xffffffff83000000)
#define LOG_GVA_I386 UINT64_C(0xc3000000)
#define P MEMCTX_PTE_PRESENT

/* What the guest does before a read of the log's memory. */
struct meanwhile {
    unsigned reads; /* of the memory */
    unsigned at;    /* the read before which it is done; 0: none */
    void (*act)(void *arg);
    void *arg;
};

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_work work;
    struct memctx_kernel kernel;
    struct memctx_target target;
    struct logimg log;
    struct memctx_printk *printk;
    struct memctx_printk_record record;
    struct memctx_error err;
};

#define assert_failed(call, error, wanted)         \
    do {                                           \
        assert_int_equal((call), -1);              \
        assert_int_equal((error)->kind, (wanted)); \
    } while (0)

static struct meanwhile *
meanwhile(void)
{
    static struct meanwhile m;
    return &m;
}

static ssize_t
read_at(const struct memctx_source *source, void *buf, size_t len_bytes,
        uint64_t offset)
{
    struct meanwhile *m = meanwhile();
    if (offset >= LOG_GPA && ++m->reads == m->at)
        m->act(m->arg);
    return memctx_file_io.read_at(source, buf, len_bytes, offset);
}

static int
setup_as(void **state, unsigned levels, uint64_t gva, unsigned word)
{
    static struct memctx_backend_io io;
    struct fixture *f = test_calloc(1, sizeof(*f));
    const struct guestimg_space space = {ROOT, (int)levels};
    io = memctx_file_io;
    io.read_at = read_at;
    *meanwhile() = (struct meanwhile){.at = 0};
    guestimg_init(&f->img, 32 * MEMCTX_MIB, 32 * MEMCTX_MIB);
    guestimg_map_range(&f->img, &space, gva, LOG_GPA, LOGIMG_SIZE,
                       MEMCTX_PAGE_SIZE, P);
    f->map = guestimg_rammap(&f->img, &io);
    charge_map(&f->map, &f->work, MEMCTX_PRINTK_STEPS);
    f->kernel.kcr3 = ROOT;
    f->kernel.paging =
        levels == 4 ? MEMCTX_PAGING_X86_64_4LEVEL : MEMCTX_PAGING_X86_PAE;
    f->log = logimg(&f->img, LOG_GPA, gva, word, 4, 12);
    *state = f;
    return 0;
}

static int
setup(void **state)
{
    return setup_as(state, 4, LOG_GVA, 8);
}

static int
setup_i386(void **state)
{
    return setup_as(state, 3, LOG_GVA_I386, 4);
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

static int
open_log(struct fixture *f)
{
    memctx_target_init(&f->target, f->map, &f->kernel, f->log.note,
                       strlen(f->log.note));
    return memctx_printk_open(&f->target, &f->printk, &f->err);
}

static int
next(struct fixture *f, enum memctx_printk_reach reach)
{
    return memctx_printk_next(f->printk, reach, &f->record, &f->err);
}

/* The next record has this number and text. */
static void
assert_next(struct fixture *f, enum memctx_printk_reach reach, uint64_t seq,
            const char *text)
{
    int got = next(f, reach);
    if (got != 1)
        fail_msg("no record %" PRIu64 ": %d %s", seq, got, f->err.message);
    assert_int_equal(f->record.seq, seq);
    assert_int_equal(f->record.len_bytes, strlen(text));
    assert_memory_equal(f->record.text, text, strlen(text));
}

static void
assert_end(struct fixture *f, enum memctx_printk_reach reach)
{
    int got = next(f, reach);
    if (got != 0)
        fail_msg("%d, record %" PRIu64 ", %s", got, f->record.seq,
                 f->err.message);
}

static uint64_t
add_number(struct fixture *f, unsigned number)
{
    char text[80];
    snprintf(text, sizeof(text), "%u: %.*s", number, (int)(number * 7 % 60),
             "an example of a line that is as long as it has to be to be it");
    return logimg_add(&f->log, 6, number * UINT64_C(1000), text);
}

/* ---- what stands there --------------------------------------------------- */

static void
test_empty_log(void **state)
{
    struct fixture *f = *state;
    assert_done(open_log(f), &f->err);
    assert_end(f, MEMCTX_PRINTK_STANDS);
    assert_end(f, MEMCTX_PRINTK_GROWS);
}

static void
test_records_in_order(void **state)
{
    struct fixture *f = *state;
    logimg_add(&f->log, 5, 0, "Linux version 6.1");
    logimg_add(&f->log, 30 << 3 | 3, UINT64_C(12345678901), "two\nlines");
    assert_done(open_log(f), &f->err);
    assert_next(f, MEMCTX_PRINTK_STANDS, 0, "Linux version 6.1");
    assert_int_equal(f->record.level, 5);
    assert_int_equal(f->record.facility, 0);
    assert_int_equal(f->record.lost, 0);
    assert_next(f, MEMCTX_PRINTK_STANDS, 1, "two\nlines");
    assert_int_equal(f->record.level, 3);
    assert_int_equal(f->record.facility, 30);
    assert_int_equal(f->record.flags, 2);
    assert_true(f->record.ts_nsec == UINT64_C(12345678901));
    assert_end(f, MEMCTX_PRINTK_STANDS);
}

/* Both rings wrap, at places that have nothing to do with one another. */
static void
test_rings_that_wrap(void **state)
{
    struct fixture *f = *state;
    for (unsigned n = 1; n < 300; n++) {
        add_number(f, n - 1);
        assert_done(open_log(f), &f->err);
        uint64_t first = n < 16 ? 0 : n - 16;
        for (unsigned i = (unsigned)first; i < n; i++) {
            assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
            assert_int_equal(f->record.seq, i);
            assert_int_equal(f->record.ts_nsec, i * 1000);
            assert_int_equal(strtoul(f->record.text, NULL, 10), i);
        }
        assert_end(f, MEMCTX_PRINTK_STANDS);
        memctx_printk_close(f->printk);
        f->printk = NULL;
    }
}

/* The text ring is full long before there are as many records as can be. */
static void
test_texts_that_push_records_out(void **state)
{
    struct fixture *f = *state;
    char text[1000];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    for (unsigned i = 0; i < 50; i++) {
        snprintf(text, 8, "%07u", i);
        text[7] = 'x';
        logimg_add(&f->log, 6, i, text);
    }
    assert_done(open_log(f), &f->err);
    unsigned n = 0;
    for (; next(f, MEMCTX_PRINTK_STANDS) == 1; n++) {
        assert_int_equal(f->record.len_bytes, sizeof(text) - 1);
        assert_int_equal(strtoul(f->record.text, NULL, 10), f->record.seq);
    }
    assert_int_equal(n, 4);
    assert_int_equal(f->record.seq, 49);
}

static void
test_block_that_ends_the_ring(void **state)
{
    struct fixture *f = *state;
    char text[4096 - 8 - 16];
    memset(text, 'e', sizeof(text));
    logimg_add(&f->log, 6, 0, "filler12");
    uint64_t id = logimg_add(&f->log, 6, 0, "exact");
    /* As 6.18 has it: no wrap, next is where the ring begins anew. */
    uint64_t desc = logimg_desc_gpa(&f->log, id);
    guestimg_write_le64(&f->img, desc + 16, 4096);
    guestimg_write(&f->img, LOG_GPA + LOGIMG_DATA + 16 + 8, text, sizeof(text));
    uint16_t len = htole16(sizeof(text));
    guestimg_write(&f->img, logimg_info_gpa(&f->log, id) + 16, &len, 2);
    assert_done(open_log(f), &f->err);
    assert_next(f, MEMCTX_PRINTK_STANDS, 0, "filler12");
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
    assert_int_equal(f->record.len_bytes, sizeof(text));
    assert_memory_equal(f->record.text, text, sizeof(text));
}

static void
test_records_without_a_block(void **state)
{
    struct fixture *f = *state;
    logimg_add(&f->log, 6, 0, "before");
    uint64_t empty = logimg_add(&f->log, 6, 0, "");
    uint64_t gone = logimg_add(&f->log, 6, 0, "gone");
    logimg_add(&f->log, 6, 0, "behind");
    logimg_set_dataless(&f->log, empty, 3);
    logimg_set_dataless(&f->log, gone, 1);
    assert_done(open_log(f), &f->err);
    assert_next(f, MEMCTX_PRINTK_STANDS, 0, "before");
    assert_next(f, MEMCTX_PRINTK_STANDS, 1, "");
    assert_next(f, MEMCTX_PRINTK_STANDS, 3, "behind");
    assert_int_equal(f->record.lost, 1);
}

/* Ids have two bits less than a long, and wrap. */
static void
test_ids_that_wrap(void **state)
{
    struct fixture *f = *state;
    f->log.head_id = (UINT64_MAX >> 2) - 4;
    if (f->log.word == 4)
        f->log.head_id = (UINT32_MAX >> 2) - 4;
    f->log.tail_id = f->log.head_id;
    for (unsigned i = 0; i < 12; i++)
        add_number(f, i);
    assert_done(open_log(f), &f->err);
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
        assert_int_equal(f->record.seq, i);
    }
    assert_end(f, MEMCTX_PRINTK_STANDS);
}

static void
test_last_records(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 40; i++)
        add_number(f, i);
    assert_done(open_log(f), &f->err);
    assert_done(memctx_printk_seek_last(f->printk, 3, &f->err), &f->err);
    for (unsigned i = 37; i < 40; i++) {
        assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
        assert_int_equal(f->record.seq, i);
        assert_int_equal(f->record.lost, 0);
    }
    assert_end(f, MEMCTX_PRINTK_STANDS);
    assert_done(memctx_printk_seek_last(f->printk, 1000, &f->err), &f->err);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
    assert_int_equal(f->record.seq, 24);
}

/* ---- while it is written ------------------------------------------------- */

static void
test_what_stands_is_what_was_there_at_first(void **state)
{
    struct fixture *f = *state;
    add_number(f, 0);
    assert_done(open_log(f), &f->err);
    add_number(f, 1);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
    assert_end(f, MEMCTX_PRINTK_STANDS);
    assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
    assert_int_equal(f->record.seq, 1);
    assert_end(f, MEMCTX_PRINTK_GROWS);
}

static void
test_growing_log_tells_what_was_lost(void **state)
{
    struct fixture *f = *state;
    add_number(f, 0);
    assert_done(open_log(f), &f->err);
    assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
    for (unsigned i = 1; i < 100; i++)
        add_number(f, i);
    assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
    assert_int_equal(f->record.seq, 84);
    assert_int_equal(f->record.lost, 83);
    assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
    assert_int_equal(f->record.lost, 0);
}

static void
test_unfinished_record(void **state)
{
    struct fixture *f = *state;
    logimg_add(&f->log, 6, 0, "one");
    uint64_t id = logimg_add(&f->log, 6, 0, "two");
    logimg_add(&f->log, 6, 0, "three");
    for (int unfinished = LOGIMG_RESERVED; unfinished <= LOGIMG_COMMITTED;
         unfinished++) {
        logimg_set_state(&f->log, id, (enum logimg_state)unfinished);
        assert_done(open_log(f), &f->err);
        assert_next(f, MEMCTX_PRINTK_STANDS, 0, "one");
        assert_next(f, MEMCTX_PRINTK_STANDS, 2, "three");
        assert_int_equal(f->record.lost, 1);
        memctx_printk_close(f->printk);
        /* It is waited for once, */
        assert_done(open_log(f), &f->err);
        assert_next(f, MEMCTX_PRINTK_GROWS, 0, "one");
        assert_end(f, MEMCTX_PRINTK_GROWS);
        assert_next(f, MEMCTX_PRINTK_GROWS, 2, "three");
        assert_int_equal(f->record.lost, 1);
        memctx_printk_close(f->printk);
        /* and may come until then. */
        assert_done(open_log(f), &f->err);
        assert_next(f, MEMCTX_PRINTK_GROWS, 0, "one");
        assert_end(f, MEMCTX_PRINTK_GROWS);
        logimg_set_state(&f->log, id, LOGIMG_FINALIZED);
        assert_next(f, MEMCTX_PRINTK_GROWS, 1, "two");
        assert_next(f, MEMCTX_PRINTK_GROWS, 2, "three");
        memctx_printk_close(f->printk);
        f->printk = NULL;
    }
}

static void
overwrite(void *arg)
{
    struct fixture *f = arg;
    for (unsigned i = 0; i < 5; i++)
        add_number(f, 1000 + i);
}

/* Whenever the guest overwrites records while others are read, what is given is
 * what it has written. */
static void
test_records_overwritten_meanwhile(void **state)
{
    struct fixture *f = *state;
    unsigned whole = 0;
    for (unsigned at = 1; at < 12; at++) {
        struct meanwhile *m = meanwhile();
        f->log = logimg(&f->img, LOG_GPA, LOG_GVA, 8, 4, 12);
        for (unsigned i = 0; i < 16; i++)
            add_number(f, i);
        *m = (struct meanwhile){.at = at, .act = overwrite, .arg = f};
        assert_done(open_log(f), &f->err);
        while (next(f, MEMCTX_PRINTK_STANDS) == 1) {
            uint64_t seq = f->record.seq;
            assert_int_equal(strtoul(f->record.text, NULL, 10),
                             seq < 16 ? seq : 1000 + seq - 16);
            whole++;
        }
        if (m->reads >= at)
            assert_true(f->log.next_seq == 21);
        memctx_printk_close(f->printk);
        f->printk = NULL;
    }
    assert_true(whole >= 11 * 11);
}

/* setup_log_buf() copies the records into a larger ring. */
static void
test_ring_is_replaced(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++)
        add_number(f, i);
    assert_done(open_log(f), &f->err);
    assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
    /* What was read with it counts as before. */
    struct logimg other =
        logimg(&f->img, LOG_GPA + MEMCTX_MIB, LOG_GVA + MEMCTX_MIB, 8, 6, 14);
    struct logimg first = f->log;
    /* By ids alone there would be nothing behind what was read. */
    other.head_id = other.tail_id = first.head_id - 5;
    f->log = other;
    for (unsigned i = 0; i < 5; i++)
        add_number(f, i);
    guestimg_write_le64(&f->img, LOG_GPA + LOGIMG_PRB,
                        LOG_GVA + MEMCTX_MIB + LOGIMG_RING);
    memcpy(f->log.note, first.note, sizeof(first.note));
    for (unsigned i = 1; i < 5; i++) {
        assert_int_equal(next(f, MEMCTX_PRINTK_GROWS), 1);
        assert_int_equal(f->record.seq, i);
        assert_int_equal(f->record.lost, 0);
    }
    assert_end(f, MEMCTX_PRINTK_GROWS);
}

/* ---- lies ---------------------------------------------------------------- */

static void
test_ring_that_is_not_sane(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned word;
        uint64_t value;
    } lies[] = {{0, 0},  {0, 21},         {0, UINT32_MAX}, {6, 2},
                {6, 29}, {6, UINT32_MAX}, {3, 5000}};
    add_number(f, 0);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lies); i++) {
        uint64_t at = LOG_GPA + LOGIMG_RING + 8 * lies[i].word;
        uint64_t before = guestimg_read_le64(&f->img, at);
        guestimg_write_le64(&f->img, at, lies[i].value);
        assert_failed(open_log(f), &f->err, MEMCTX_RETRY);
        guestimg_write_le64(&f->img, at, before);
    }
    assert_done(open_log(f), &f->err);
}

static void
test_note_that_is_not_sane(void **state)
{
    struct fixture *f = *state;
    static const char *const lies[][2] = {
        {"SIZE(prb_desc)", "129"},
        {"SIZE(prb_desc)", "23"},
        {"SIZE(printk_info)", "19"},
        {"SIZE(printk_info)", "513"},
        {"SIZE(printk_ringbuffer)", "513"},
        {"OFFSET(prb_desc.state_var)", "17"},
        {"OFFSET(prb_desc.text_blk_lpos)", "-8"},
        {"OFFSET(prb_desc_ring.count_bits)", "77"},
        {"OFFSET(prb_data_ring.data)", "33"},
        {"OFFSET(atomic_long_t.counter)", "20"},
        {"OFFSET(printk_info.text_len)", "x"},
        {"OFFSET(printk_info.text_len)", "85"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lies); i++) {
        struct logimg before = f->log;
        logimg_change_note(&f->log, lies[i][0], lies[i][1]);
        assert_failed(open_log(f), &f->err, MEMCTX_PERMANENT);
        f->log = before;
    }
    assert_done(open_log(f), &f->err);
}

static void
test_pointers_that_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    add_number(f, 0);
    static const unsigned words[] = {1, 2, 7};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(words); i++) {
        uint64_t at = LOG_GPA + LOGIMG_RING + 8 * words[i];
        uint64_t before = guestimg_read_le64(&f->img, at);
        guestimg_write_le64(&f->img, at, UINT64_C(0xfffffffffffffff0));
        assert_done(open_log(f), &f->err);
        assert_failed(next(f, MEMCTX_PRINTK_STANDS), &f->err, MEMCTX_RETRY);
        memctx_printk_close(f->printk);
        f->printk = NULL;
        guestimg_write_le64(&f->img, at, before);
    }
    guestimg_write_le64(&f->img, LOG_GPA + LOGIMG_PRB, 16);
    assert_failed(open_log(f), &f->err, MEMCTX_RETRY);
}

static void
test_blocks_that_are_not_the_record_s(void **state)
{
    struct fixture *f = *state;
    static const uint64_t lies[][2] = {
        {8, 8},              /* empty */
        {16, 8},             /* backwards */
        {0, 8192},           /* two turns */
        {0, 4096 + 4},       /* no room for an id */
        {4090, 4096},        /* the same at the end */
        {UINT64_MAX - 7, 8}, /* the id at its place is not its own */
    };
    logimg_add(&f->log, 6, 0, "first");
    uint64_t id = logimg_add(&f->log, 6, 0, "second");
    logimg_add(&f->log, 6, 0, "third");
    uint64_t desc = logimg_desc_gpa(&f->log, id);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(lies); i++) {
        guestimg_write_le64(&f->img, desc + 8, lies[i][0]);
        guestimg_write_le64(&f->img, desc + 16, lies[i][1]);
        assert_done(open_log(f), &f->err);
        assert_next(f, MEMCTX_PRINTK_STANDS, 0, "first");
        assert_next(f, MEMCTX_PRINTK_STANDS, 2, "third");
        assert_int_equal(f->record.lost, 1);
        memctx_printk_close(f->printk);
        f->printk = NULL;
    }
}

static void
test_text_longer_than_its_block(void **state)
{
    struct fixture *f = *state;
    uint64_t id = logimg_add(&f->log, 6, 0, "short");
    guestimg_write(&f->img, logimg_info_gpa(&f->log, id) + 16, "\xff\xff", 2);
    assert_done(open_log(f), &f->err);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
    assert_int_equal(f->record.len_bytes, 8);
}

static void
test_records_that_share_a_text(void **state)
{
    struct fixture *f = *state;
    char text[1001];
    uint64_t ids[10];
    memset(text, 's', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    uint64_t first = logimg_add(&f->log, 6, 0, text);
    uint64_t begin =
        guestimg_read_le64(&f->img, logimg_desc_gpa(&f->log, first) + 8);
    uint64_t next_lpos =
        guestimg_read_le64(&f->img, logimg_desc_gpa(&f->log, first) + 16);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ids); i++)
        ids[i] = logimg_add(&f->log, 6, 0, "");
    /* A block without a byte for its id ends with another's. */
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(ids); i++) {
        uint64_t desc = logimg_desc_gpa(&f->log, ids[i]);
        guestimg_write_le64(&f->img, desc + 8, begin + 8 + 8 * i);
        guestimg_write_le64(&f->img, desc + 16, next_lpos);
        guestimg_write_le64(&f->img, LOG_GPA + LOGIMG_DATA + begin + 8 + 8 * i,
                            ids[i]);
        guestimg_write(&f->img, logimg_info_gpa(&f->log, ids[i]) + 16,
                       "\xff\xff", 2);
    }
    assert_done(open_log(f), &f->err);
    uint64_t bytes = 0;
    int got;
    while ((got = next(f, MEMCTX_PRINTK_STANDS)) == 1)
        bytes += f->record.len_bytes;
    assert_int_equal(got, -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
    assert_true(bytes <= 2 * 4096);
}

static void
test_numbers_that_do_not_grow(void **state)
{
    struct fixture *f = *state;
    uint64_t id = logimg_add(&f->log, 6, 0, "first");
    logimg_add(&f->log, 6, 0, "second");
    guestimg_write_le64(&f->img, logimg_info_gpa(&f->log, id), 1);
    assert_done(open_log(f), &f->err);
    assert_next(f, MEMCTX_PRINTK_STANDS, 1, "first");
    assert_end(f, MEMCTX_PRINTK_STANDS);
}

static void
test_work_runs_out(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 16; i++)
        add_number(f, i);
    assert_done(open_log(f), &f->err);
    for (uint64_t steps = 0; steps < 20; steps++) {
        memctx_work_begin(&f->work, steps, NULL, NULL);
        assert_failed(next(f, MEMCTX_PRINTK_STANDS), &f->err, MEMCTX_RETRY);
    }
    memctx_work_begin(&f->work, 100, NULL, NULL);
    assert_int_equal(next(f, MEMCTX_PRINTK_STANDS), 1);
}

static void
test_kernel_without_a_log(void **state)
{
    struct fixture *f = *state;
    snprintf(f->log.note, sizeof(f->log.note), "OSRELEASE=6.1.0\n");
    assert_failed(open_log(f), &f->err, MEMCTX_PERMANENT);
    f->log.note[0] = '\0';
    assert_failed(open_log(f), &f->err, MEMCTX_PERMANENT);
}

/* The word of the log that each message changes. */
static void
test_head_counts_the_messages(void **state)
{
    struct fixture *f = *state;
    uint64_t gpa;
    unsigned bytes;
    memctx_target_init(&f->target, f->map, &f->kernel, f->log.note,
                       strlen(f->log.note));
    assert_done(memctx_printk_head(&f->target, &gpa, &bytes, &f->err), &f->err);
    assert_int_equal(bytes, f->log.word);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t before = guestimg_read_le64(&f->img, gpa);
        add_number(f, i);
        assert_int_not_equal(guestimg_read_le64(&f->img, gpa), before);
    }
}

static void
test_head_that_is_no_word(void **state)
{
    struct fixture *f = *state;
    uint64_t gpa;
    unsigned bytes;
    logimg_change_note(&f->log, "OFFSET(prb_desc_ring.head_id)", "25");
    memctx_target_init(&f->target, f->map, &f->kernel, f->log.note,
                       strlen(f->log.note));
    assert_failed(memctx_printk_head(&f->target, &gpa, &bytes, &f->err),
                  &f->err, MEMCTX_RETRY);
    logimg_change_note(&f->log, "OFFSET(prb_desc_ring.head_id)", "24");
    memctx_target_init(&f->target, f->map, &f->kernel, f->log.note,
                       strlen(f->log.note));
    guestimg_write_le64(&f->img, LOG_GPA + LOGIMG_PRB, UINT64_MAX);
    assert_failed(memctx_printk_head(&f->target, &gpa, &bytes, &f->err),
                  &f->err, MEMCTX_RETRY);
    memctx_target_init(&f->target, f->map, &f->kernel, "OSRELEASE=1\n", 12);
    assert_failed(memctx_printk_head(&f->target, &gpa, &bytes, &f->err),
                  &f->err, MEMCTX_PERMANENT);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define T32(name) cmocka_unit_test_setup_teardown(name, setup_i386, teardown)
    const struct CMUnitTest tests[] = {
        T(test_empty_log),
        T(test_records_in_order),
        T32(test_records_in_order),
        T(test_rings_that_wrap),
        T32(test_rings_that_wrap),
        T(test_texts_that_push_records_out),
        T(test_block_that_ends_the_ring),
        T(test_records_without_a_block),
        T32(test_records_without_a_block),
        T(test_ids_that_wrap),
        T32(test_ids_that_wrap),
        T(test_last_records),
        T(test_what_stands_is_what_was_there_at_first),
        T(test_growing_log_tells_what_was_lost),
        T(test_unfinished_record),
        T(test_records_overwritten_meanwhile),
        T(test_ring_is_replaced),
        T(test_ring_that_is_not_sane),
        T(test_note_that_is_not_sane),
        T(test_pointers_that_lead_nowhere),
        T(test_blocks_that_are_not_the_record_s),
        T(test_text_longer_than_its_block),
        T(test_records_that_share_a_text),
        T(test_numbers_that_do_not_grow),
        T(test_work_runs_out),
        T(test_kernel_without_a_log),
        T(test_head_counts_the_messages),
        T(test_head_that_is_no_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
