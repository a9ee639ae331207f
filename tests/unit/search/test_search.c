/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The search over many tries: where it looks first, what it costs, and that
 * no guest can hide a kernel from it for ever. */
#include "unit.h"

#include <unistd.h>

#include "charged.h"
#include "guestimg.h"
#include "guest/guest.h"
#include "search/search.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (128 * MEMCTX_MIB)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_search *search;
    struct guestimg_kernel want;
    struct memctx_search_result result;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    guestimg_init(&f->img, RAM, RAM);
    f->map = guestimg_rammap(&f->img, NULL);
    f->want = guestimg_kernel();
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

/* RAM of another size, or read through `io`. */
static void
remake_ram(struct fixture *f, uint64_t size, uint64_t low,
           const struct memctx_backend_io *io)
{
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    guestimg_init(&f->img, size, low);
    f->map = guestimg_rammap(&f->img, io);
}

static int
try_once(struct fixture *f, uint64_t budget_bytes)
{
    struct memctx_search_request request = {.budget_bytes = budget_bytes};
    return memctx_search_try(f->search, f->map, &request, &f->result, &f->err);
}

static int
try_all(struct fixture *f)
{
    struct memctx_search_request request = {.all = true};
    return memctx_search_try(f->search, f->map, &request, &f->result, &f->err);
}

/* A search that remembers nothing. */
static void
renew_search(struct fixture *f)
{
    memctx_search_destroy(f->search);
    assert_done(memctx_search_create(&f->search, &f->err), &f->err);
}

/* Number of the try that finds the kernel; 0: none up to `max`. */
static unsigned
tries_until_found(struct fixture *f, uint64_t budget_bytes, unsigned max)
{
    for (unsigned n = 1; n <= max; n++) {
        if (try_once(f, budget_bytes) == 0) {
            assert_int_equal(f->result.n_kernels, 1);
            assert_int_equal(f->result.kernels[0].kcr3, f->want.root_gpa);
            return n;
        }
        assert_int_equal(f->err.kind, MEMCTX_RETRY);
    }
    return 0;
}

/* Look at all RAM until nothing of it is new any more. */
static void
exhaust_fresh_ram(struct fixture *f)
{
    assert_int_equal(try_once(f, 0), -1);
    assert_int_equal(try_once(f, 0), -1);
}

static void
test_empty_ram(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(try_once(f, 0), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no VMCOREINFO in RAM");
    assert_int_equal(f->result.n_clues, 0);
    assert_int_equal(f->result.bytes_read, 0);
    assert_int_equal(try_all(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "no VMCOREINFO in RAM");
}

static void
test_kernel_in_the_first_try(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->want);
    assert_done(try_once(f, MEMCTX_MIB), &f->err);
    assert_int_equal(f->result.n_kernels, 1);
    assert_int_equal(f->result.kernels[0].kcr3, f->want.root_gpa);
    assert_in_range(f->result.n_clues, 1, 2);
}

/* What was traced. */
struct traced {
    unsigned steps[MEMCTX_TRACE_FOUND + 1];
    uint64_t scanned_bytes;
    uint64_t root_gpa;
    bool names_check;
};

static void
trace(const struct memctx_trace_step *step, void *arg)
{
    struct traced *traced = arg;
    traced->steps[step->kind]++;
    if (step->kind == MEMCTX_TRACE_SCANNED)
        traced->scanned_bytes += step->size;
    if (step->kind == MEMCTX_TRACE_FOUND)
        traced->root_gpa = step->kernel->kcr3;
    if (step->kind == MEMCTX_TRACE_FAILED)
        traced->names_check |= strstr(step->why->message, "check uts") != NULL;
}

static int
try_traced(struct fixture *f, struct traced *traced)
{
    const struct memctx_trace told = {trace, traced};
    const struct memctx_search_request request = {
        .all = true, .every = true, .trace = &told};
    return memctx_search_try(f->search, f->map, &request, &f->result, &f->err);
}

static void
test_each_step_is_traced(void **state)
{
    struct fixture *f = *state;
    struct traced traced = {.root_gpa = 0};
    guestimg_add_kernel(&f->img, &f->want);
    assert_done(try_traced(f, &traced), &f->err);
    assert_true(traced.steps[MEMCTX_TRACE_FOUND] > 0);
    assert_int_equal(traced.root_gpa, f->want.root_gpa);
    assert_int_equal(traced.scanned_bytes, f->result.bytes_read);
    assert_int_equal(traced.steps[MEMCTX_TRACE_FOUND] +
                         traced.steps[MEMCTX_TRACE_FAILED],
                     f->result.n_clues);
}

static void
test_failed_clue_is_traced_with_its_check(void **state)
{
    struct fixture *f = *state;
    struct traced traced = {.root_gpa = 0};
    f->want.uts_release = "5.10.0";
    guestimg_add_kernel(&f->img, &f->want);
    assert_int_equal(try_traced(f, &traced), -1);
    assert_int_equal(traced.steps[MEMCTX_TRACE_FOUND], 0);
    assert_true(traced.steps[MEMCTX_TRACE_FAILED] > 0);
    assert_true(traced.names_check);
}

static void
test_failed_clue_is_told(void **state)
{
    struct fixture *f = *state;
    f->want.uts_release = "5.10.0";
    guestimg_add_kernel(&f->img, &f->want);
    assert_int_equal(try_once(f, MEMCTX_MIB), -1);
    assert_error(&f->err, MEMCTX_RETRY,
                 " candidates, the best: VMCOREINFO at gpa");
    assert_error(&f->err, MEMCTX_RETRY, "check uts");
    assert_true(f->result.n_clues >= 2);
}

/* A guest may be as large as it likes: what it never touched costs nothing. */
static void
test_holes_are_not_read_nor_allocated(void **state)
{
    struct fixture *f = *state;
    remake_ram(f, 1024 * MEMCTX_GIB, 2 * MEMCTX_GIB, NULL);
    f->want.note_gpa = 900 * MEMCTX_GIB;
    guestimg_add_kernel(&f->img, &f->want);
    uint64_t blocks = guestimg_blocks(&f->img);
    assert_done(try_all(f), &f->err);
    assert_true(f->result.bytes_read <= blocks * 512);
    assert_done(try_once(f, 0), &f->err);
    assert_int_equal(guestimg_blocks(&f->img), blocks);
}

static void
test_budget_is_respected(void **state)
{
    struct fixture *f = *state;
    static const uint64_t budgets[] = {MEMCTX_MIB, 3 * MEMCTX_MIB,
                                       8 * MEMCTX_MIB, 24 * MEMCTX_MIB};
    remake_ram(f, RAM, RAM, &guestimg_faulty_io);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(budgets); i++) {
        for (int n = 0; n < 40; n++) {
            assert_int_equal(try_once(f, budgets[i]), -1);
            assert_in_range(f->result.bytes_read, 1,
                            budgets[i] + MEMCTX_MIB - 1);
        }
    }
}

static void
test_fresh_pages_are_looked_at_first(void **state)
{
    struct fixture *f = *state;
    guestimg_touch(&f->img, 32 * MEMCTX_MIB, 8 * MEMCTX_MIB);
    exhaust_fresh_ram(f);
    f->want.text_gpa = 80 * MEMCTX_MIB;
    f->want.bare_gpa = f->want.trampoline_gpa = 0;
    f->want.note_gpa = 70 * MEMCTX_MIB;
    guestimg_add_kernel(&f->img, &f->want);
    assert_int_equal(tries_until_found(f, 64 * MEMCTX_KIB, 1), 1);
    assert_true(f->result.bytes_read <= 64 * MEMCTX_KIB);
}

/* However much there is that is new, and that nobody looks at twice. */
static void
test_pointers_lead_to_the_note_in_one_try(void **state)
{
    struct fixture *f = *state;
    guestimg_touch(&f->img, 16 * MEMCTX_MIB, 32 * MEMCTX_MIB);
    exhaust_fresh_ram(f);
    guestimg_add_kernel(&f->img, &f->want);
    guestimg_touch(&f->img, 112 * MEMCTX_MIB, 16 * MEMCTX_MIB);
    assert_int_equal(tries_until_found(f, 64 * MEMCTX_KIB, 1), 1);
    assert_in_range(f->result.n_clues, 1, 2);
}

/* The note is written long after its page was first used. */
static void
test_note_anywhere_is_found_after_enough_tries(void **state)
{
    struct fixture *f = *state;
    static const uint64_t places[] = {
        PAGE,
        5 * MEMCTX_MIB - PAGE,
        5 * MEMCTX_MIB,
        77 * MEMCTX_MIB + 123 * PAGE,
        4 * MEMCTX_GIB,
        4 * MEMCTX_GIB + 33 * MEMCTX_MIB,
        4 * MEMCTX_GIB + 64 * MEMCTX_MIB - PAGE,
    };
    remake_ram(f, RAM + 64 * MEMCTX_MIB, RAM, &guestimg_faulty_io);
    exhaust_fresh_ram(f);
    f->want.bare_gpa = f->want.note_gpa = 0;
    guestimg_add_kernel(&f->img, &f->want);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(places); i++) {
        guestimg_write_note(&f->img, places[i], f->want.text, f->want.text_len);
        assert_in_range(tries_until_found(f, 8 * MEMCTX_MIB, 50), 1, 50);
        guestimg_punch(&f->img, places[i], PAGE);
    }
}

/* Pages stay pages, whatever number of bytes a try may read. */
static void
test_budget_that_is_no_multiple_of_a_page(void **state)
{
    struct fixture *f = *state;
    static const uint64_t places[] = {17 * MEMCTX_MIB, 50 * MEMCTX_MIB + PAGE,
                                      118 * MEMCTX_MIB};
    remake_ram(f, RAM, RAM, &guestimg_faulty_io);
    exhaust_fresh_ram(f);
    f->want.bare_gpa = f->want.note_gpa = f->want.trampoline_gpa = 0;
    guestimg_add_kernel(&f->img, &f->want);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(places); i++) {
        guestimg_write_note(&f->img, places[i], f->want.text, f->want.text_len);
        assert_in_range(tries_until_found(f, 2 * MEMCTX_MIB + 1234, 130), 1,
                        130);
        guestimg_punch(&f->img, places[i], PAGE);
    }
}

/* The round goes on wherever the last try left it. */
static void
test_round_goes_on_in_whole_pages(void **state)
{
    struct fixture *f = *state;
    remake_ram(f, RAM, RAM, &guestimg_faulty_io);
    f->want.bare_gpa = f->want.note_gpa = f->want.trampoline_gpa = 0;
    guestimg_add_kernel(&f->img, &f->want);
    for (uint64_t i = 0; i < 6; i++) {
        uint64_t note_gpa = 118 * MEMCTX_MIB + i * 211 * PAGE;
        renew_search(f);
        exhaust_fresh_ram(f);
        guestimg_write_note(&f->img, note_gpa, f->want.text, f->want.text_len);
        assert_in_range(tries_until_found(f, MEMCTX_MIB + 1234, 200), 1, 200);
        guestimg_punch(&f->img, note_gpa, PAGE);
    }
}

/* Data on a file system with blocks of 1 KiB: a run may begin and end within
 * a page, and the next one on the same page. */
static const struct memctx_range runs[] = {
    {40 * MEMCTX_MIB, MEMCTX_KIB},
    {40 * MEMCTX_MIB + 2 * MEMCTX_KIB, MEMCTX_MIB - 2 * MEMCTX_KIB},
};

static int
next_run(const struct memctx_source *source, uint64_t offset, uint64_t limit,
         uint64_t *start, uint64_t *end)
{
    (void)source;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(runs); i++) {
        uint64_t run_end = runs[i].gpa + runs[i].size;
        if (offset >= run_end || runs[i].gpa >= limit)
            continue;
        *start = memctx_max(offset, runs[i].gpa);
        *end = memctx_min(limit, run_end);
        return 1;
    }
    return 0;
}

static ssize_t
read_plainly(const struct memctx_source *source, void *buf, size_t len_bytes,
             uint64_t offset)
{
    return pread(source->fd, buf, len_bytes, (off_t)offset);
}

static const struct memctx_backend_io small_blocks = {read_plainly, next_run};

static void
test_data_that_begins_within_a_page(void **state)
{
    struct fixture *f = *state;
    remake_ram(f, RAM, RAM, &small_blocks);
    f->want.note_gpa = 0;
    f->want.bare_gpa = 40 * MEMCTX_MIB + 2 * PAGE;
    guestimg_add_kernel(&f->img, &f->want);
    assert_done(try_all(f), &f->err);
}

static void
test_fresh_data_that_begins_within_a_page(void **state)
{
    struct fixture *f = *state;
    remake_ram(f, RAM, RAM, &small_blocks);
    f->want.bare_gpa = 0;
    f->want.note_gpa = 40 * MEMCTX_MIB + 2 * PAGE;
    guestimg_add_kernel(&f->img, &f->want);
    assert_int_equal(tries_until_found(f, 16 * MEMCTX_MIB, 2), 1);
}

/* More single pages than the table of holes has rows. */
static void
test_more_holes_than_are_remembered(void **state)
{
    struct fixture *f = *state;
    static const uint64_t places[] = {
        20 * MEMCTX_MIB + PAGE,        /* in one of the holes */
        20 * MEMCTX_MIB + 1999 * PAGE, /* in a hole that found no room */
        90 * MEMCTX_MIB,               /* in the last one */
    };
    for (uint64_t i = 0; i < 1000; i++)
        guestimg_touch(&f->img, 20 * MEMCTX_MIB + 2 * i * PAGE, PAGE);
    exhaust_fresh_ram(f);
    f->want.bare_gpa = f->want.note_gpa = 0;
    guestimg_add_kernel(&f->img, &f->want);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(places); i++) {
        guestimg_write_note(&f->img, places[i], f->want.text, f->want.text_len);
        assert_in_range(tries_until_found(f, MEMCTX_MIB, 20), 1, 20);
        guestimg_punch(&f->img, places[i], PAGE);
    }
}

/* Holes that were filled make room in the table for others. */
static void
test_filled_holes_are_forgotten(void **state)
{
    struct fixture *f = *state;
    const uint64_t from = 20 * MEMCTX_MIB;
    for (uint64_t i = 0; i < 600; i++)
        guestimg_touch(&f->img, from + 2 * i * PAGE, PAGE);
    exhaust_fresh_ram(f);
    guestimg_touch(&f->img, from, 1200 * PAGE);
    exhaust_fresh_ram(f);
    guestimg_touch(&f->img, 60 * MEMCTX_MIB, PAGE);
    exhaust_fresh_ram(f);
    f->want.bare_gpa = 0;
    f->want.note_gpa = 50 * MEMCTX_MIB;
    guestimg_touch(&f->img, 70 * MEMCTX_MIB, 16 * MEMCTX_MIB);
    guestimg_add_kernel(&f->img, &f->want);
    assert_int_equal(tries_until_found(f, 16 * PAGE, 1), 1);
}

static void
test_try_without_work_reads_nothing(void **state)
{
    struct fixture *f = *state;
    struct memctx_search_request request = {.budget_bytes = 0};
    struct memctx_work work;
    charge_map(&f->map, &work, 0);
    guestimg_add_kernel(&f->img, &f->want);
    assert_int_equal(
        memctx_search_try(f->search, f->map, &request, &f->result, &f->err),
        -1);
    assert_int_equal(f->err.kind, MEMCTX_RETRY);
    assert_int_equal(f->result.bytes_read, 0);
    request.all = true;
    assert_int_equal(
        memctx_search_try(f->search, f->map, &request, &f->result, &f->err),
        -1);
    assert_int_equal(f->result.bytes_read, 0);
    memctx_work_begin(&work, UINT64_MAX, NULL, NULL);
    assert_done(
        memctx_search_try(f->search, f->map, &request, &f->result, &f->err),
        &f->err);
}

/* A kernel before 4.13: only a note, which may lie across two blocks. */
static void
test_unaligned_note_is_found_by_a_thorough_pass(void **state)
{
    struct fixture *f = *state;
    static const uint64_t places[] = {
        50 * MEMCTX_MIB + 0x7b4, 50 * MEMCTX_MIB - 4,  50 * MEMCTX_MIB - 12,
        50 * MEMCTX_MIB - 16,    50 * MEMCTX_MIB - 20, 50 * MEMCTX_MIB - 28,
        50 * MEMCTX_MIB + 4,     RAM - PAGE - 4,
    };
    f->want.bare_gpa = f->want.note_gpa = f->want.trampoline_gpa = 0;
    guestimg_add_kernel(&f->img, &f->want);
    guestimg_touch(&f->img, 48 * MEMCTX_MIB, 4 * MEMCTX_MIB);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(places); i++) {
        guestimg_write_note(&f->img, places[i], f->want.text, f->want.text_len);
        renew_search(f);
        assert_done(try_all(f), &f->err);
        assert_int_equal(f->result.kernels[0].clue_gpa, places[i]);
        renew_search(f);
        /* The first round of all RAM passes it over, the second does not. */
        assert_in_range(tries_until_found(f, MEMCTX_MIB, 30), 2, 30);
        guestimg_punch(&f->img, places[i] - places[i] % PAGE, 2 * PAGE);
    }
}

static uint64_t
add_fake_texts(struct fixture *f, uint64_t gpa, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        guestimg_write(&f->img, gpa + i * PAGE, "OSRELEASE=6.1\n", 14);
    return gpa + count * PAGE;
}

static void
test_thousands_of_fakes_cost_a_bounded_number_of_reads(void **state)
{
    struct fixture *f = *state;
    struct guestimg_faults *faults = guestimg_faults();
    remake_ram(f, RAM, RAM, &guestimg_faulty_io);
    add_fake_texts(f, 24 * MEMCTX_MIB, 20000);
    for (int n = 0; n < 4; n++) {
        faults->reads = 0;
        assert_int_equal(try_once(f, 64 * MEMCTX_MIB), -1);
        assert_int_equal(f->err.kind, MEMCTX_RETRY);
        assert_true(faults->reads < 64 * MEMCTX_MIB / PAGE);
    }
}

static void
test_thousands_of_fakes_do_not_hide_a_kernel(void **state)
{
    struct fixture *f = *state;
    f->want.bare_gpa = 0;
    f->want.note_gpa = add_fake_texts(f, 24 * MEMCTX_MIB, 5000) + PAGE;
    guestimg_add_kernel(&f->img, &f->want);
    assert_in_range(tries_until_found(f, 64 * MEMCTX_MIB, 10), 1, 10);
}

static void
test_thousands_of_fakes_do_not_hide_a_kernel_from_a_probe(void **state)
{
    struct fixture *f = *state;
    f->want.bare_gpa = 0;
    f->want.note_gpa = add_fake_texts(f, 24 * MEMCTX_MIB, 5000) + PAGE;
    guestimg_add_kernel(&f->img, &f->want);
    assert_done(try_all(f), &f->err);
    assert_int_equal(f->result.kernels[0].kcr3, f->want.root_gpa);
}

static void
add_second_kernel(struct fixture *f)
{
    struct guestimg_kernel other = guestimg_kernel();
    other.text_gpa = 64 * MEMCTX_MIB;
    other.release = "6.12.1";
    other.bare_gpa = 50 * MEMCTX_MIB;
    other.note_gpa = 51 * MEMCTX_MIB;
    guestimg_add_kernel(&f->img, &other);
}

static void
test_all_kernels_are_told_apart(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->want);
    add_second_kernel(f);
    assert_done(try_all(f), &f->err);
    assert_int_equal(f->result.n_kernels, 2);
    assert_int_equal(f->result.n_clues, 4);
    assert_string_equal(f->result.kernels[0].version, "6.1.0-13-amd64");
    assert_string_equal(f->result.kernels[1].version, "6.12.1");
    assert_done(try_once(f, 0), &f->err);
    assert_int_equal(f->result.n_kernels, 1);
}

/* Both clues lead to one kernel; the note is complete for sure. */
static void
test_note_is_preferred_to_bare_text(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->want);
    assert_true(f->want.bare_gpa < f->want.note_gpa);
    assert_done(try_all(f), &f->err);
    assert_int_equal(f->result.n_kernels, 1);
    assert_string_equal(f->result.kernels[0].found, "vmcoreinfo-note");
    assert_int_equal(f->result.kernels[0].clue_gpa, f->want.note_gpa);
}

static void
test_more_kernels_than_are_told(void **state)
{
    struct fixture *f = *state;
    static const char *const releases[] = {"1", "2", "3", "4", "5",
                                           "6", "7", "8", "9", "10"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(releases); i++) {
        struct guestimg_kernel kernel = guestimg_kernel();
        kernel.release = releases[i];
        kernel.text_gpa = 2 * MEMCTX_MIB + i * 12 * MEMCTX_MIB;
        kernel.slide = i * 16 * MEMCTX_MIB;
        kernel.bare_gpa = 0;
        kernel.note_gpa = kernel.text_gpa + MEMCTX_MIB;
        guestimg_add_kernel(&f->img, &kernel);
    }
    assert_done(try_all(f), &f->err);
    assert_int_equal(f->result.n_kernels, MEMCTX_KERNELS_MAX);
    assert_int_equal(f->result.n_clues, 10);
}

static void
test_clue_is_looked_at_again_first(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->want);
    assert_done(try_once(f, MEMCTX_MIB), &f->err);
    assert_done(try_once(f, 1), &f->err);
    assert_int_equal(f->result.bytes_read, 0);
    assert_int_equal(f->result.n_clues, 1);
    memctx_search_reset(f->search);
    assert_done(try_once(f, 1), &f->err);
    assert_int_equal(f->result.bytes_read, 0);
}

static void
test_unaligned_clue_is_looked_at_again_first(void **state)
{
    struct fixture *f = *state;
    f->want.bare_gpa = 0;
    f->want.note_gpa = 48 * MEMCTX_MIB + 0x7b4;
    guestimg_add_kernel(&f->img, &f->want);
    assert_done(try_all(f), &f->err);
    assert_done(try_once(f, 1), &f->err);
    assert_int_equal(f->result.bytes_read, 0);
}

/* A clue that was seen before its kernel was up. */
static void
test_clue_of_a_booting_kernel_is_looked_at_again(void **state)
{
    struct fixture *f = *state;
    f->want.bare_gpa = 0;
    guestimg_add_kernel(&f->img, &f->want);
    guestimg_write(&f->img, f->want.uts_gpa, "Xinux", 5);
    exhaust_fresh_ram(f);
    guestimg_write(&f->img, f->want.uts_gpa, "Linux", 5);
    assert_done(try_once(f, 1), &f->err);
    assert_int_equal(f->result.bytes_read, 0);
}

static void
test_reset_makes_all_ram_fresh(void **state)
{
    struct fixture *f = *state;
    guestimg_touch(&f->img, 70 * MEMCTX_MIB, MEMCTX_MIB);
    exhaust_fresh_ram(f);
    f->want.bare_gpa = 0;
    f->want.note_gpa = 70 * MEMCTX_MIB + 5 * PAGE;
    guestimg_add_kernel(&f->img, &f->want);
    memctx_search_reset(f->search);
    assert_in_range(tries_until_found(f, 2 * MEMCTX_MIB, 1), 1, 1);
}

static void
test_kernel_that_went_away_is_not_found_again(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->want);
    assert_done(try_once(f, 0), &f->err);
    guestimg_punch(&f->img, f->want.root_gpa, PAGE);
    assert_int_equal(try_once(f, 0), -1);
    assert_error(&f->err, MEMCTX_RETRY, "check self-map");
}

static void
test_backing_truncated_behind_a_clue_is_gone(void **state)
{
    struct fixture *f = *state;
    guestimg_add_kernel(&f->img, &f->want);
    assert_done(try_once(f, 0), &f->err);
    guestimg_truncate(&f->img, MEMCTX_MIB);
    assert_int_equal(try_once(f, 0), -1);
    assert_error(&f->err, MEMCTX_GONE, "was truncated");
}

/* SEEK_DATA finds nothing behind the end, so nothing is read there. */
static void
test_backing_truncated_before_any_clue_is_gone(void **state)
{
    struct fixture *f = *state;
    exhaust_fresh_ram(f);
    guestimg_truncate(&f->img, MEMCTX_MIB);
    assert_int_equal(try_once(f, 0), -1);
    assert_error(&f->err, MEMCTX_GONE, "was truncated");
    assert_int_equal(try_all(f), -1);
    assert_error(&f->err, MEMCTX_GONE, "was truncated");
}

static void
test_ram_that_cannot_be_read_is_told(void **state)
{
    struct fixture *f = *state;
    remake_ram(f, RAM, RAM, &guestimg_faulty_io);
    guestimg_faults()->fail_from = 1;
    assert_int_equal(try_once(f, 0), -1);
    assert_error(&f->err, MEMCTX_RETRY, "Input/output error");
}

/* Whichever read fails: no crash, and the next try finds the kernel. */
static void
test_each_read_fails_once(void **state)
{
    struct fixture *f = *state;
    struct guestimg_faults *faults = guestimg_faults();
    remake_ram(f, RAM, RAM, &guestimg_faulty_io);
    guestimg_add_kernel(&f->img, &f->want);
    for (unsigned long n = 1; n < 80; n++) {
        *faults = (struct guestimg_faults){.fail_from = n};
        memctx_search_reset(f->search);
        (void)try_once(f, 0);
        faults->fail_from = 0;
        assert_in_range(tries_until_found(f, 0, 2), 1, 2);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_empty_ram),
        T(test_kernel_in_the_first_try),
        T(test_each_step_is_traced),
        T(test_failed_clue_is_traced_with_its_check),
        T(test_failed_clue_is_told),
        T(test_holes_are_not_read_nor_allocated),
        T(test_budget_is_respected),
        T(test_fresh_pages_are_looked_at_first),
        T(test_pointers_lead_to_the_note_in_one_try),
        T(test_note_anywhere_is_found_after_enough_tries),
        T(test_budget_that_is_no_multiple_of_a_page),
        T(test_round_goes_on_in_whole_pages),
        T(test_data_that_begins_within_a_page),
        T(test_fresh_data_that_begins_within_a_page),
        T(test_more_holes_than_are_remembered),
        T(test_filled_holes_are_forgotten),
        T(test_try_without_work_reads_nothing),
        T(test_unaligned_note_is_found_by_a_thorough_pass),
        T(test_thousands_of_fakes_cost_a_bounded_number_of_reads),
        T(test_thousands_of_fakes_do_not_hide_a_kernel),
        T(test_thousands_of_fakes_do_not_hide_a_kernel_from_a_probe),
        T(test_all_kernels_are_told_apart),
        T(test_note_is_preferred_to_bare_text),
        T(test_more_kernels_than_are_told),
        T(test_clue_is_looked_at_again_first),
        T(test_unaligned_clue_is_looked_at_again_first),
        T(test_clue_of_a_booting_kernel_is_looked_at_again),
        T(test_reset_makes_all_ram_fresh),
        T(test_kernel_that_went_away_is_not_found_again),
        T(test_backing_truncated_behind_a_clue_is_gone),
        T(test_backing_truncated_before_any_clue_is_gone),
        T(test_ram_that_cannot_be_read_is_told),
        T(test_each_read_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
