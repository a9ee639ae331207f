/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The programs are run here as the kernel would, and compared with what they
 * are to mean. The kernel runs them in test_sandbox.c. */
#include "unit.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "base/bytes.h"
#include "sandbox/window.h"

#define MEM 7
#define PAGEMAP 8

struct machine {
    uint32_t a;
    uint32_t x;
    uint32_t memory[BPF_MEMWORDS];
    size_t at;
};

static bool
compares(uint16_t code, uint32_t a, uint32_t b)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    default:
        assert_int_equal(BPF_OP(code), BPF_JSET);
        return (a & b) != 0;
    }
}

static uint32_t
word_at(const struct seccomp_data *data, uint32_t offset)
{
    uint32_t word;
    assert_true(offset % 4 == 0 && offset < sizeof(*data));
    memcpy(&word, (const char *)data + offset, sizeof(word));
    return word;
}

static void
step(struct machine *m, const struct sock_filter *i,
     const struct seccomp_data *data)
{
    m->at++;
    switch (i->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        m->a = word_at(data, i->k);
        return;
    case BPF_LD | BPF_MEM:
        m->a = m->memory[i->k];
        return;
    case BPF_ST:
        m->memory[i->k] = m->a;
        return;
    case BPF_MISC | BPF_TAX:
        m->x = m->a;
        return;
    case BPF_ALU | BPF_ADD | BPF_X:
        m->a += m->x;
        return;
    case BPF_ALU | BPF_ADD | BPF_K:
        m->a += i->k;
        return;
    case BPF_JMP | BPF_JA:
        m->at += i->k;
        return;
    default:
        assert_int_equal(BPF_CLASS(i->code), BPF_JMP);
        m->at +=
            compares(i->code, m->a, BPF_SRC(i->code) == BPF_X ? m->x : i->k)
                ? i->jt
                : i->jf;
    }
}

/* What the program says; *steps is how many instructions that took. */
static uint32_t
run(const struct sock_filter *code, size_t len, const struct seccomp_data *data,
    unsigned *steps)
{
    struct machine m = {.at = 0};
    *steps = 0;
    while (m.at < len && code[m.at].code != (BPF_RET | BPF_K)) {
        step(&m, &code[m.at], data);
        (*steps)++;
    }
    assert_true(m.at < len);
    return code[m.at].k;
}

struct fixture {
    struct sock_filter code[BPF_MAXINSNS];
    size_t len;
    size_t used;
    unsigned steps; /* of the last read, in all programs */
    struct memctx_error err;
};

static int
set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    free(*state);
    return 0;
}

static void
compile(struct fixture *f, const struct window *windows, size_t n)
{
    assert_done(window_program(windows, n, f->code, &f->len, &f->used, &f->err),
                &f->err);
}

static bool
allows(struct fixture *f, uint64_t fd, uint64_t count, uint64_t offset)
{
    const struct seccomp_data data = {
        .nr = SYS_pread64,
        .args = {fd, 0x1234567890, count, offset, 0, 0},
    };
    uint32_t action = run(f->code, f->len, &data, &f->steps);
    assert_true(action == SECCOMP_RET_ALLOW ||
                action == SECCOMP_RET_KILL_PROCESS);
    return action == SECCOMP_RET_ALLOW;
}

static void
test_read_inside_is_allowed(void **state)
{
    struct fixture *f = *state;
    const struct window w = {MEM, 0x7f0012340000, 0x10000};
    compile(f, &w, 1);
    assert_true(allows(f, MEM, 0x10000, w.start));
    assert_true(allows(f, MEM, 1, w.start));
    assert_true(allows(f, MEM, 1, w.start + 0xffff));
    assert_true(allows(f, MEM, 0, w.start));
}

static void
test_read_outside_is_not(void **state)
{
    struct fixture *f = *state;
    const struct window w = {MEM, 0x7f0012340000, 0x10000};
    compile(f, &w, 1);
    assert_false(allows(f, MEM, 1, w.start - 1));
    assert_false(allows(f, MEM, 2, w.start - 1));
    assert_false(allows(f, MEM, 2, w.start + 0xffff));
    assert_false(allows(f, MEM, 1, w.start + 0x10000));
    assert_false(allows(f, MEM, 0x10001, w.start));
    assert_false(allows(f, MEM, 1, 0));
    assert_false(allows(f, MEM, 1, w.start & UINT32_MAX));
    assert_false(allows(f, MEM, 1, w.start >> 32 << 32));
}

/* Counts and offsets whose sum, or whose high word, is lost in 32 or 64 bits.
 */
static void
test_sums_that_wrap_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct window w = {MEM, 0xffff0000, 0x20000}; /* over 2^32 */
    compile(f, &w, 1);
    assert_true(allows(f, MEM, 0x20000, 0xffff0000));
    assert_true(allows(f, MEM, 0x10000, 0xffff0000));
    assert_true(allows(f, MEM, 0x10000, 0x100000000));
    assert_false(allows(f, MEM, 0x10001, 0x100000000));
    assert_false(allows(f, MEM, UINT64_C(1) << 32, 0xffff0000));
    assert_false(allows(f, MEM, (UINT64_C(1) << 32) + 1, 0xffff0000));
    assert_false(allows(f, MEM, UINT64_MAX, 0xffff0001));
    assert_false(allows(f, MEM, UINT32_MAX, 0xffff0001));
    assert_false(allows(f, MEM, 0xffff0010, UINT64_MAX));
    assert_false(allows(f, MEM, 0xffff0010, UINT64_MAX - 0xf));
    assert_false(allows(f, MEM, 1, UINT64_C(1) << 63 | 0xffff0000));
}

/* The kernel takes an int of what is a 64-bit register. */
static void
test_high_word_of_the_descriptor_hides_nothing(void **state)
{
    struct fixture *f = *state;
    const struct window w = {MEM, 0x1000, 0x1000};
    compile(f, &w, 1);
    assert_false(allows(f, UINT64_C(5) << 32 | MEM, 1, 0));
    assert_true(allows(f, UINT64_C(5) << 32 | MEM, 1, 0x1000));
}

static void
test_other_calls_and_descriptors_are_another_filters(void **state)
{
    struct fixture *f = *state;
    const struct window w = {MEM, 0x1000, 0x1000};
    struct seccomp_data data = {.nr = SYS_read, .args = {MEM, 0, 1, 0, 0, 0}};
    compile(f, &w, 1);
    assert_int_equal(run(f->code, f->len, &data, &f->steps), SECCOMP_RET_ALLOW);
    assert_true(allows(f, MEM + 1, 1, 0));
    assert_true(allows(f, 0, 1, 0));
}

static void
test_descriptors_have_their_own_windows(void **state)
{
    struct fixture *f = *state;
    const struct window w[] = {{MEM, 0x1000, 0x1000},
                               {MEM, 0x5000, 0x1000},
                               {PAGEMAP, 8, 8},
                               {PAGEMAP, 0x28, 8}};
    compile(f, w, 4);
    assert_int_equal(f->used, 4);
    assert_true(allows(f, MEM, 16, 0x1ff0));
    assert_false(allows(f, MEM, 8, 8));
    assert_false(allows(f, MEM, 0x1001, 0x1000));
    assert_false(allows(f, MEM, 1, 0x3000));
    assert_true(allows(f, PAGEMAP, 8, 0x28));
    assert_false(allows(f, PAGEMAP, 8, 0x10));
    assert_false(allows(f, PAGEMAP, 0x28, 8));
    assert_false(allows(f, PAGEMAP, 8, 0x1000));
}

/* From one end of the window before to the start of the next. */
static void
expect_edges(struct fixture *f, const struct window *w)
{
    assert_true(allows(f, (uint64_t)w->fd, w->size, w->start));
    assert_false(allows(f, (uint64_t)w->fd, w->size + 1, w->start));
    assert_false(allows(f, (uint64_t)w->fd, w->size, w->start - 1));
    assert_false(allows(f, (uint64_t)w->fd, 1, w->start - 1));
    assert_false(allows(f, (uint64_t)w->fd, 1, w->start + w->size));
}

/* All sizes of the tree up to one that needs far jumps, at addresses whose high
 * words are alike and are not. */
static void
test_many_windows(void **state)
{
    struct fixture *f = *state;
    struct window w[300];
    for (size_t n = 1; n <= MEMCTX_ARRAY_LEN(w); n += n < 40 ? 1 : 26) {
        for (size_t i = 0; i < n; i++)
            w[i] = (struct window){MEM, 0x7f00fff00000 + i * 0x30000, 0x10000};
        compile(f, w, n);
        assert_int_equal(f->used, n);
        for (size_t i = 0; i < n; i++) {
            expect_edges(f, &w[i]);
            assert_true(f->steps < 80);
        }
    }
}

/* Any numbers, against the meaning in C. */
static void
test_random_reads_of_random_windows(void **state)
{
    struct fixture *f = *state;
    unsigned short seed[3] = {1, 2, 3};
    for (unsigned round = 0; round < 200; round++) {
        struct window w[8];
        size_t n = 1 + (size_t)nrand48(seed) % 8;
        for (size_t i = 0; i < n; i++)
            w[i] = (struct window){MEM, (uint64_t)nrand48(seed) << 3,
                                   1 + (uint64_t)nrand48(seed)};
        assert_done(window_sort(w, &n, &f->err), &f->err);
        compile(f, w, n);
        for (unsigned i = 0; i < 100; i++) {
            const struct window *at = &w[(size_t)nrand48(seed) % n];
            uint64_t offset = at->start + (uint64_t)nrand48(seed) % at->size;
            uint64_t count = (uint64_t)nrand48(seed) >> (nrand48(seed) % 31);
            offset += (uint64_t)(nrand48(seed) % 3) - 1;
            bool inside = false;
            for (size_t k = 0; k < n; k++)
                inside |= memctx_range_in(offset, count, w[k].start, w[k].size);
            if (inside || count > 0)
                assert_int_equal(allows(f, MEM, count, offset), inside);
        }
    }
}

static void
test_sorted_and_joined(void **state)
{
    struct fixture *f = *state;
    struct window w[] = {{8, 0x1000, 0x1000}, {7, 0x9000, 0x1000},
                         {7, 0x1000, 0x1000}, {7, 0x2000, 0x1000},
                         {7, 0x1800, 0x100},  {7, 0x2800, 0x1000},
                         {7, 0x1000, 0x1000}};
    size_t n = MEMCTX_ARRAY_LEN(w);
    assert_done(window_sort(w, &n, &f->err), &f->err);
    assert_int_equal(n, 3);
    assert_int_equal(w[0].fd, 7);
    assert_int_equal(w[0].start, 0x1000);
    assert_int_equal(w[0].size, 0x2800);
    assert_int_equal(w[1].start, 0x9000);
    assert_int_equal(w[2].fd, 8);
}

static void
test_window_that_cannot_be(void **state)
{
    struct fixture *f = *state;
    struct window empty = {MEM, 0x1000, 0};
    struct window far = {MEM, UINT64_C(1) << 63, 1};
    struct window wraps = {MEM, UINT64_MAX - 4, 8};
    size_t n = 1;
    assert_int_equal(window_sort(&empty, &n, &f->err), -1);
    assert_error(&f->err, MEMCTX_BUG, "0 bytes");
    assert_int_equal(window_sort(&far, &n, &f->err), -1);
    assert_int_equal(window_sort(&wraps, &n, &f->err), -1);
}

/* Two descriptors that fit one each: the first program leaves the second. */
static void
test_what_does_not_fit_is_left_for_the_next(void **state)
{
    struct fixture *f = *state;
    struct window w[400];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(w); i++)
        w[i] = (struct window){i < 200 ? MEM : PAGEMAP, i * 0x2000, 0x1000};
    compile(f, w, MEMCTX_ARRAY_LEN(w));
    assert_int_equal(f->used, 200);
    assert_false(allows(f, MEM, 1, 200 * 0x2000));
    assert_true(allows(f, PAGEMAP, 1, 0));
    compile(f, w + 200, 200);
    assert_int_equal(f->used, 200);
    assert_false(allows(f, PAGEMAP, 1, 0));
    assert_true(allows(f, PAGEMAP, 1, 200 * 0x2000));
}

static void
test_more_windows_than_a_program_holds(void **state)
{
    struct fixture *f = *state;
    struct window w[320];
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(w); i++)
        w[i] = (struct window){MEM, i * 0x2000, 0x1000};
    assert_int_equal(window_program(w, MEMCTX_ARRAY_LEN(w), f->code, &f->len,
                                    &f->used, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "320 pieces");
    compile(f, w, 313);
    assert_true(f->len <= BPF_MAXINSNS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_read_inside_is_allowed),
        TEST(test_read_outside_is_not),
        TEST(test_sums_that_wrap_are_refused),
        TEST(test_high_word_of_the_descriptor_hides_nothing),
        TEST(test_other_calls_and_descriptors_are_another_filters),
        TEST(test_descriptors_have_their_own_windows),
        TEST(test_many_windows),
        TEST(test_random_reads_of_random_windows),
        TEST(test_sorted_and_joined),
        TEST(test_window_that_cannot_be),
        TEST(test_what_does_not_fit_is_left_for_the_next),
        TEST(test_more_windows_than_a_program_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
