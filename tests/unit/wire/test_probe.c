/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a prober sends: each field wrong in turn, and many answers in which
 * anything may be wrong. */
#include "unit.h"

#include "guestimg.h"
#include "paging/paging.h"
#include "wire/probe.h"

#define RAM_GPA (16 * MEMCTX_MIB)
#define RAM_SIZE (2 * MEMCTX_MIB)
#define BEYOND (RAM_GPA + RAM_SIZE)
#define MUTATIONS 1000000

/* A guest whose RAM is in one of two places, and what was asked about it. */
struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_rammap *other;
    struct memctx_probe_ram ram;
    struct memctx_probe_request asked;
    struct memctx_probe_answer answer; /* is right */
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    const struct memctx_extent moved = {64 * MEMCTX_MIB, RAM_SIZE, 0, 0};
    guestimg_init_at(&f->img, RAM_SIZE, RAM_GPA);
    f->map = guestimg_rammap(&f->img, NULL);
    assert_done(memctx_rammap_create_beside(f->map, &f->other, &f->err),
                &f->err);
    assert_done(memctx_rammap_add_extent(f->other, &moved, &f->err), &f->err);
    f->ram = (struct memctx_probe_ram){{f->map, f->other}, 2};
    f->asked.serial = 7;
    f->asked.task = MEMCTX_PROBE_TRY;
    f->answer.serial = 7;
    f->answer.candidates = 1;
    f->answer.bytes_read = 4096;
    f->answer.has_kernel = true;
    f->answer.alive = true;
    f->answer.proof = MEMCTX_LAYOUT_PROVEN;
    f->answer.n_words = 2;
    f->answer.per_second = 1000;
    f->answer.words[0] = (struct memctx_probe_word){RAM_GPA + 8, 1};
    f->answer.words[1] = (struct memctx_probe_word){BEYOND - 8, 2};
    struct memctx_kernel *kernel = &f->answer.kernel;
    kernel->os = MEMCTX_OS_LINUX;
    kernel->paging = MEMCTX_PAGING_X86_64_4LEVEL;
    kernel->kcr3 = RAM_GPA + 0x1000;
    kernel->base_gva = UINT64_C(0xffffffff81000000);
    kernel->size_bytes = 32 * MEMCTX_MIB;
    kernel->clue_gpa = RAM_GPA + 0x2000;
    strcpy(kernel->version, "6.1.0");
    strcpy(kernel->identity, "0123");
    kernel->linux_facts.has_phys_base = true;
    kernel->linux_facts.phys_base = -4096;
    kernel->linux_facts.vmcoreinfo_gpa = RAM_GPA + 0x2000;
    kernel->linux_facts.vmcoreinfo_size = 2000;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    memctx_rammap_destroy(f->other);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static int
decode(struct fixture *f, const void *bytes, struct memctx_probe_answer *ret)
{
    return memctx_probe_answer_decode(bytes, sizeof(f->answer), &f->asked,
                                      &f->ram, ret, &f->err);
}

static void
refuse(struct fixture *f, const void *bytes, const char *words)
{
    struct memctx_probe_answer ret;
    memset(&ret, 0x5a, sizeof(ret));
    f->err = (struct memctx_error)MEMCTX_ERROR_INIT;
    assert_int_equal(decode(f, bytes, &ret), -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
    assert_int_equal(*(unsigned char *)&ret, 0x5a);
}

static void
test_right_answer_is_taken_whole(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    assert_done(decode(f, &f->answer, &ret), &f->err);
    assert_memory_equal(&ret, &f->answer, sizeof(ret));
}

/* Padding, and what is behind the end of a text, comes from a stack somewhere.
 */
static void
test_bytes_of_no_field_are_not_taken(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    unsigned char bytes[sizeof(f->answer)];
    memcpy(bytes, &f->answer, sizeof(bytes));
    bytes[offsetof(struct memctx_probe_answer, has_kernel) + 2] = 0xff;
    bytes[offsetof(struct memctx_probe_answer, kernel.version) + 10] = 0xff;
    assert_done(decode(f, bytes, &ret), &f->err);
    assert_memory_equal(&ret, &f->answer, sizeof(ret));
}

#define IN_ANSWER(member)                         \
    offsetof(struct memctx_probe_answer, member), \
        sizeof(((struct memctx_probe_answer *)NULL)->member)

static void
test_each_field_may_be_hostile(void **state)
{
    struct fixture *f = *state;
    static const struct {
        size_t offset;
        size_t size;
        uint64_t value;
        const char *words;
    } rows[] = {
        {IN_ANSWER(serial), 8, "not asked for"},
        {IN_ANSWER(verdict), MEMCTX_PROBE_VERDICTS, "verdict"},
        {IN_ANSWER(verdict), MEMCTX_PROBE_FAILED, "an error"},
        {IN_ANSWER(why.kind), MEMCTX_ERROR_KINDS, "why.kind"},
        {IN_ANSWER(why.kind), MEMCTX_RETRY, "an error"},
        {IN_ANSWER(candidates), 0x10000, "candidates"},
        {IN_ANSWER(has_kernel), 2, "has_kernel"},
        {IN_ANSWER(has_kernel), 0, "without its kernel"},
        {IN_ANSWER(alive), 0x80, "alive"},
        {IN_ANSWER(layout), 2, "layout"},
        {IN_ANSWER(layout), 1, "kcr3"},
        {IN_ANSWER(proof), MEMCTX_LAYOUT_PROOFS, "proof"},
        {IN_ANSWER(proof), MEMCTX_LAYOUT_CERTAIN, "proven otherwise"},
        {IN_ANSWER(n_words), 9, "n_words"},
        {IN_ANSWER(n_words), 3, "clock word"},
        {IN_ANSWER(words[0].gpa), RAM_GPA - 4, "clock word"},
        {IN_ANSWER(words[1].gpa), UINT64_MAX - 3, "clock word"},
        {IN_ANSWER(panic_gpa), BEYOND, "panic_gpa"},
        {IN_ANSWER(panic_gpa), BEYOND - 3, "panic word"},
        {IN_ANSWER(n_parts), 3, "n_parts"},
        {IN_ANSWER(parts[1].size), 4097, "size"},
        {IN_ANSWER(parts[0].writable), 2, "writable"},
        {IN_ANSWER(kernel.os), MEMCTX_OSES, "os"},
        {IN_ANSWER(kernel.os), 0xffffffff, "os"},
        {IN_ANSWER(kernel.os), MEMCTX_OS_UNKNOWN, "no system"},
        {IN_ANSWER(kernel.paging), MEMCTX_PAGINGS, "paging"},
        {IN_ANSWER(kernel.paging), MEMCTX_PAGING_UNKNOWN, "no system"},
        {IN_ANSWER(kernel.kcr3), 0, "root"},
        {IN_ANSWER(kernel.kcr3), RAM_GPA + 8, "root"},
        {IN_ANSWER(kernel.kcr3), BEYOND, "kcr3"},
        {IN_ANSWER(kernel.kcr3), UINT64_MAX - 4095, "kcr3"},
        {IN_ANSWER(kernel.size_bytes), (UINT64_C(1) << 32) + 1, "size_bytes"},
        {IN_ANSWER(kernel.clue_gpa), BEYOND, "clue_gpa"},
        {IN_ANSWER(kernel.version[0]), 0, "no system"},
        {IN_ANSWER(kernel.version[1]), '\n', "version"},
        {IN_ANSWER(kernel.identity[0]), 0x7f, "identity"},
        {IN_ANSWER(kernel.found[0]), 0x1b, "found"},
        {IN_ANSWER(kernel.checks[0]), 0xff, "checks"},
        {IN_ANSWER(kernel.linux_facts.has_kaslr_offset), 2, "has_kaslr"},
        {IN_ANSWER(kernel.linux_facts.has_phys_base), 3, "has_phys_base"},
        {IN_ANSWER(kernel.linux_facts.has_kimage_voffset), 4, "has_kimage"},
        {IN_ANSWER(kernel.linux_facts.vmcoreinfo_gpa), BEYOND, "vmcoreinfo"},
        {IN_ANSWER(kernel.linux_facts.vmcoreinfo_gpa), BEYOND - 8, "a note"},
        {IN_ANSWER(kernel.linux_facts.vmcoreinfo_size), 4097, "vmcoreinfo"},
        {IN_ANSWER(kernel.wall_clock.page_gpa), 1, "page_gpa"},
        {IN_ANSWER(why.message[0]), '\t', "why.message"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        unsigned char bytes[sizeof(f->answer)];
        memcpy(bytes, &f->answer, sizeof(bytes));
        memcpy(bytes + rows[i].offset, &rows[i].value, rows[i].size);
        refuse(f, bytes, rows[i].words);
    }
}

static void
test_text_must_end(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer full = f->answer;
    memset(full.kernel.version, 'x', sizeof(full.kernel.version));
    refuse(f, &full, "version");
    full.kernel.version[sizeof(full.kernel.version) - 1] = '\0';
    assert_done(decode(f, &full, &full), &f->err);
}

static void
test_answer_of_another_size_is_refused(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    for (size_t len = 0; len < sizeof(f->answer); len++) {
        assert_int_equal(memctx_probe_answer_decode(&f->answer, len, &f->asked,
                                                    &f->ram, &ret, &f->err),
                         -1);
        assert_error(&f->err, MEMCTX_RETRY, "bytes");
    }
}

static void
test_root_of_pae_may_be_small(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    f->answer.kernel.paging = MEMCTX_PAGING_X86_PAE;
    f->answer.kernel.kcr3 = BEYOND - 32;
    assert_done(decode(f, &f->answer, &ret), &f->err);
}

static void
test_only_one_layout_is_certain(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    f->ram.n = 1;
    refuse(f, &f->answer, "proven otherwise");
    f->answer.proof = MEMCTX_LAYOUT_CERTAIN;
    assert_done(decode(f, &f->answer, &ret), &f->err);
    f->answer.proof = MEMCTX_LAYOUT_ASSUMED;
    assert_done(decode(f, &f->answer, &ret), &f->err);
    f->answer.layout = 1;
    refuse(f, &f->answer, "layout");
}

static void
test_doubted_layout_is_never_certain(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    f->ram.n = 1;
    memctx_rammap_doubt(f->map);
    assert_done(decode(f, &f->answer, &ret), &f->err);
    f->answer.proof = MEMCTX_LAYOUT_CERTAIN;
    refuse(f, &f->answer, "proven otherwise");
}

/* A failure needs its reason, and no kernel; its kernel's fields count for
 * nothing. */
static void
test_failure_has_a_reason_and_no_kernel(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    f->answer.verdict = MEMCTX_PROBE_FAILED;
    memctx_error_set(&f->answer.why, MEMCTX_RETRY, "no note in RAM");
    refuse(f, &f->answer, "without its kernel");
    f->answer.has_kernel = false;
    f->answer.kernel.kcr3 = BEYOND;
    assert_done(decode(f, &f->answer, &ret), &f->err);
    assert_int_equal(ret.kernel.kcr3, 0);
    assert_string_equal(ret.why.message, "no note in RAM");
    f->answer.why.kind = MEMCTX_STALE;
    refuse(f, &f->answer, "an error");
    f->answer.why.kind = MEMCTX_OK;
    refuse(f, &f->answer, "an error");
}

static void
test_pending_is_no_answer_to_a_look(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    f->answer.verdict = MEMCTX_PROBE_PENDING;
    memctx_error_set(&f->answer.why, MEMCTX_RETRY, "not seen running");
    assert_done(decode(f, &f->answer, &ret), &f->err);
    f->asked.task = MEMCTX_PROBE_VERIFY;
    refuse(f, &f->answer, "pending");
}

static void
ask_translation(struct fixture *f, uint32_t size)
{
    f->asked.task = MEMCTX_PROBE_TRANSLATE;
    f->asked.gva = UINT64_C(0xffffffff81001ff0);
    f->asked.size = size;
    f->answer.has_kernel = false;
    f->answer.n_words = 0;
    f->answer.n_parts = 2;
    f->answer.parts[0] = (struct memctx_probe_part){RAM_GPA + 0x1ff0, 16, true};
    f->answer.parts[1] = (struct memctx_probe_part){RAM_GPA, 8, false};
}

static void
test_translation_is_of_pages_of_ram(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    ask_translation(f, 24);
    assert_done(decode(f, &f->answer, &ret), &f->err);
    assert_true(ret.parts[0].writable);
    assert_false(ret.parts[1].writable);
    f->answer.parts[0].gpa++; /* reaches into the next page */
    refuse(f, &f->answer, "no page of RAM");
    f->answer.parts[0].gpa = BEYOND;
    refuse(f, &f->answer, "no page of RAM");
    f->answer.parts[0].gpa = UINT64_MAX;
    refuse(f, &f->answer, "no page of RAM");
    f->answer.parts[0].gpa = RAM_GPA + 0x1fe0; /* elsewhere in its page */
    refuse(f, &f->answer, "no page of RAM");
    f->answer.parts[0].gpa = RAM_GPA + 0x1ff0;
    f->answer.parts[1].gpa += 8;
    refuse(f, &f->answer, "no page of RAM");
}

/* RAM is in another place there. */
static void
test_translation_is_in_the_layout_asked_for(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    ask_translation(f, 24);
    f->answer.layout = 1;
    f->answer.parts[0].gpa = 64 * MEMCTX_MIB + 0xff0;
    f->answer.parts[1].gpa = 64 * MEMCTX_MIB;
    refuse(f, &f->answer, "layout that was not asked for");
    f->asked.layout = 1;
    assert_done(decode(f, &f->answer, &ret), &f->err);
}

static void
test_translation_is_of_all_bytes_asked_for(void **state)
{
    struct fixture *f = *state;
    ask_translation(f, 23);
    refuse(f, &f->answer, "24 bytes, 23");
    f->answer.n_parts = 0;
    refuse(f, &f->answer, "0 bytes");
    f->answer.n_parts = 2;
    f->answer.parts[1].size = 0;
    refuse(f, &f->answer, "no page of RAM");
}

/* xorshift: the same mutations in every run. */
static uint32_t
next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void
assert_harmless(const struct fixture *f, const struct memctx_probe_answer *a)
{
    const struct memctx_rammap *map = f->ram.maps[a->layout];
    assert_true(a->serial == f->asked.serial);
    assert_true(a->layout < f->ram.n);
    assert_true(strlen(a->why.message) < sizeof(a->why.message));
    if (a->has_kernel)
        assert_true(memctx_rammap_contains(
            map, a->kernel.kcr3, memctx_paging_root_size(a->kernel.paging)));
    for (uint32_t i = 0; i < a->n_words; i++)
        assert_true(memctx_rammap_contains(map, a->words[i].gpa, 8));
}

/* Up to eight bytes become others. */
static void
test_mutated_answers_are_refused_or_harmless(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 1;
    unsigned taken = 0;
    unsigned n = is_under_valgrind() ? MUTATIONS / 100 : MUTATIONS;
    for (unsigned i = 0; i < n; i++) {
        struct memctx_probe_answer ret;
        unsigned char bytes[sizeof(f->answer)];
        memcpy(bytes, &f->answer, sizeof(bytes));
        for (uint32_t k = next_random(&seed) % 8; k > 0; k--)
            bytes[next_random(&seed) % sizeof(bytes)] =
                (unsigned char)next_random(&seed);
        if (decode(f, bytes, &ret) < 0)
            continue;
        assert_harmless(f, &ret);
        taken++;
    }
    assert_true(taken > 0 && taken < n);
}

static int
decode_request(struct fixture *f, const struct memctx_probe_request *request,
               struct memctx_probe_request *ret)
{
    return memctx_probe_request_decode(request, sizeof(*request), &f->ram, ret,
                                       &f->err);
}

/* Where the log grows is a word of RAM, or nothing. */
static void
test_head_of_the_log_is_a_word_of_ram(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    f->answer.log_gpa = BEYOND - 8;
    f->answer.log_bytes = 8;
    assert_done(decode(f, &f->answer, &ret), &f->err);
    assert_int_equal(ret.log_gpa, BEYOND - 8);
    f->answer.log_gpa = BEYOND - 4;
    refuse(f, &f->answer, "no word of RAM");
    f->answer.log_bytes = 4;
    assert_done(decode(f, &f->answer, &ret), &f->err);
    f->answer.log_bytes = 0;
    refuse(f, &f->answer, "no word of RAM");
    f->answer.log_bytes = 9;
    refuse(f, &f->answer, "log_bytes");
}

static void
test_panic_answers_no_other_question(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    f->answer.panicked = true;
    refuse(f, &f->answer, "a panic that was not asked for");
    f->asked.task = MEMCTX_PROBE_LAST_WORDS;
    assert_done(decode(f, &f->answer, &ret), &f->err);
    assert_true(ret.panicked);
    f->answer.verdict = MEMCTX_PROBE_FAILED;
    memctx_error_set(&f->answer.why, MEMCTX_RETRY, "cannot be read");
    refuse(f, &f->answer, "a panic that was not asked for");
    f->answer.panicked = false;
    assert_done(decode(f, &f->answer, &ret), &f->err);
}

static void
test_records_answer_no_other_question(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_answer ret;
    f->answer.records = 3;
    refuse(f, &f->answer, "records that were not asked for");
    f->asked.task = MEMCTX_PROBE_KEEP_LOG;
    assert_done(decode(f, &f->answer, &ret), &f->err);
    assert_int_equal(ret.records, 3);
    /* It came as far as that. */
    f->answer.verdict = MEMCTX_PROBE_FAILED;
    f->answer.cut = true;
    memctx_error_set(&f->answer.why, MEMCTX_RETRY, "cannot be read");
    assert_done(decode(f, &f->answer, &ret), &f->err);
    assert_true(ret.cut);
}

static void
test_right_request_is_taken_whole(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_request ret;
    f->asked.budget_bytes = MEMCTX_MIB;
    f->asked.new_boot = true;
    f->asked.has_kernel = true;
    f->asked.kernel = f->answer.kernel;
    assert_done(decode_request(f, &f->asked, &ret), &f->err);
    assert_memory_equal(&ret, &f->asked, sizeof(ret));
}

static void
test_wrong_requests_are_refused(void **state)
{
    struct fixture *f = *state;
    struct memctx_probe_request ret;
    struct memctx_probe_request r = f->asked;
    assert_int_equal(
        memctx_probe_request_decode(&r, sizeof(r) - 1, &f->ram, &ret, &f->err),
        -1);
    assert_error(&f->err, MEMCTX_BUG, "bytes");
    r.task = MEMCTX_PROBE_TRANSLATE;
    r.paging = MEMCTX_PAGING_X86_PAE;
    assert_int_equal(decode_request(f, &r, &ret), -1);
    assert_error(&f->err, MEMCTX_BUG, "nothing to translate");
    r.size = MEMCTX_PROBE_TRANSLATE_MAX + 1;
    assert_int_equal(decode_request(f, &r, &ret), -1);
    assert_error(&f->err, MEMCTX_BUG, "size");
    r = f->asked;
    r.task = MEMCTX_PROBE_LAST_WORDS;
    assert_int_equal(decode_request(f, &r, &ret), -1);
    assert_error(&f->err, MEMCTX_BUG, "no kernel");
    r.task = MEMCTX_PROBE_KEEP_LOG;
    assert_int_equal(decode_request(f, &r, &ret), -1);
    assert_error(&f->err, MEMCTX_BUG, "no kernel");
    r = f->asked;
    r.task = MEMCTX_PROBE_TASKS;
    assert_int_equal(decode_request(f, &r, &ret), -1);
    assert_error(&f->err, MEMCTX_BUG, "task");
    r = f->asked;
    r.has_kernel = true;
    assert_int_equal(decode_request(f, &r, &ret), -1);
    assert_error(&f->err, MEMCTX_BUG, "kernel");
    r = f->asked;
    r.layout = 2;
    assert_int_equal(decode_request(f, &r, &ret), -1);
    assert_error(&f->err, MEMCTX_BUG, "layout");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_right_answer_is_taken_whole),
        T(test_bytes_of_no_field_are_not_taken),
        T(test_each_field_may_be_hostile),
        T(test_text_must_end),
        T(test_answer_of_another_size_is_refused),
        T(test_root_of_pae_may_be_small),
        T(test_only_one_layout_is_certain),
        T(test_doubted_layout_is_never_certain),
        T(test_failure_has_a_reason_and_no_kernel),
        T(test_pending_is_no_answer_to_a_look),
        T(test_translation_is_of_pages_of_ram),
        T(test_translation_is_in_the_layout_asked_for),
        T(test_translation_is_of_all_bytes_asked_for),
        T(test_mutated_answers_are_refused_or_harmless),
        T(test_right_request_is_taken_whole),
        T(test_wrong_requests_are_refused),
        T(test_head_of_the_log_is_a_word_of_ram),
        T(test_panic_answers_no_other_question),
        T(test_records_answer_no_other_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
