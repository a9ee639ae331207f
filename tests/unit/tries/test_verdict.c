/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Each row of the heartbeat's law, with made-up times. */
#include "unit.h"

#include "base/bytes.h"
#include "tries/verdict.h"

#define MS 1000u
#define S 1000000u
#define START (1000 * (uint64_t)S)
#define HZ 250u

static const struct verdict_law law = VERDICT_LAW;

/* A guest with one word, read every half second. */
struct guest {
    struct verdict_state state;
    struct memctx_words words;
    uint64_t now_us;
    uint64_t cpu_us;
    bool has_cpu;
    bool panicked;
    bool has_log;
    uint64_t log_head;
    bool tells_lulls; /* else they are no verdict, and that it moves after one
                         is none */
    bool lulled;
};

static struct guest
guest_begin(bool has_cpu)
{
    struct guest g = {.words = {.per_second = HZ,
                                .least = 1000,
                                .n = 1,
                                .word = {{.gpa = 0x1000, .value = 5000}}},
                      .now_us = START,
                      .cpu_us = 77 * (uint64_t)S,
                      .has_cpu = has_cpu};
    verdict_begin(&g.state, g.now_us);
    return g;
}

/* Time passes; the CPUs used cpu_us of it. Then the word says `value`. */
static enum verdict
pass(struct guest *g, uint64_t wall_us, uint64_t cpu_us, uint64_t value)
{
    g->now_us += wall_us;
    g->cpu_us += cpu_us;
    bool looked = value == g->words.word[0].value &&
                  verdict_wants_cpu(&g->state, &law, g->now_us);
    const struct verdict_reading reading = {.now_us = g->now_us,
                                            .values = &value,
                                            .panicked = g->panicked,
                                            .has_log = g->has_log,
                                            .log_head = g->log_head,
                                            .looked = looked,
                                            .has_cpu = looked && g->has_cpu,
                                            .cpu_us = g->cpu_us};
    enum verdict verdict = verdict_judge(&g->state, &law, &g->words, &reading);
    if (g->tells_lulls)
        return verdict;
    bool hidden =
        verdict == VERDICT_LULL || (verdict == VERDICT_MOVES && g->lulled);
    g->lulled =
        verdict == VERDICT_LULL || (g->lulled && verdict == VERDICT_NONE);
    return hidden ? VERDICT_NONE : verdict;
}

/* It has moved since listening began, which was told. */
static struct guest
guest_that_runs(bool has_cpu)
{
    struct guest g = guest_begin(has_cpu);
    assert_int_equal(pass(&g, 500 * MS, 0, 5100), VERDICT_NONE);
    assert_int_equal(pass(&g, 500 * MS, 0, 5200), VERDICT_MOVES);
    return g;
}

static uint64_t
value_of(const struct guest *g)
{
    return g->words.word[0].value;
}

/* Half a second after another, it stands; the first verdict that is not NONE,
 * and after how many. */
static enum verdict
stand(struct guest *g, unsigned times, uint64_t cpu_us, unsigned *ret)
{
    for (unsigned i = 1; i <= times; i++) {
        enum verdict verdict = pass(g, 500 * MS, cpu_us, value_of(g));
        *ret = i;
        if (verdict != VERDICT_NONE)
            return verdict;
    }
    return VERDICT_NONE;
}

static void
test_clock_that_goes_on_is_told_once(void **state)
{
    struct guest g = guest_that_runs(true);
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(pass(&g, 500 * MS, 400 * MS, value_of(&g) + 125),
                         VERDICT_NONE);
}

/* That it moved before it was listened to may be long ago. */
static void
test_first_reading_is_no_sign_of_life(void **state)
{
    struct guest g = guest_begin(true);
    unsigned after;
    (void)state;
    assert_int_equal(pass(&g, 500 * MS, 400 * MS, 900000), VERDICT_NONE);
    assert_int_equal(stand(&g, 10, 400 * MS, &after), VERDICT_STANDS);
}

/* A panicked guest of one CPU uses 750 to 830 ms of CPU time a second. */
static void
test_panic_stands_within_two_seconds(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    assert_int_equal(stand(&g, 20, 375 * MS, &after), VERDICT_STANDS);
    assert_true(after <= 4);
    assert_int_equal(stand(&g, 20, 375 * MS, &after), VERDICT_NONE);
}

static void
test_busy_cpus_do_not_hurry_the_verdict(void **state)
{
    struct guest g = guest_that_runs(true);
    (void)state;
    assert_int_equal(pass(&g, 500 * MS, 2 * S, value_of(&g)), VERDICT_NONE);
    assert_int_equal(pass(&g, 400 * MS, 2 * S, value_of(&g)), VERDICT_NONE);
    assert_int_equal(pass(&g, 100 * MS, 0, value_of(&g)), VERDICT_STANDS);
}

/* 10 ms a gap: idle, suspended, halted, stopped. For minutes. */
static void
test_guest_that_uses_no_cpu_never_stands(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    for (unsigned gap = 0; gap < 20; gap++) {
        assert_int_equal(stand(&g, 60, 150, &after), VERDICT_NONE);
        assert_int_equal(pass(&g, 500 * MS, 10 * MS, value_of(&g) + 1),
                         VERDICT_NONE);
    }
    assert_int_equal(stand(&g, 1200, 0, &after), VERDICT_NONE);
}

/* It idles until that is told: after how many half seconds? */
static unsigned
lull(struct guest *g)
{
    unsigned after;
    g->tells_lulls = true;
    assert_int_equal(stand(g, 4000, 0, &after), VERDICT_LULL);
    return after;
}

/* Another kernel may have taken its place, and be as idle. */
static void
test_guest_that_idles_is_a_lull(void **state)
{
    struct guest g = guest_that_runs(true);
    (void)state;
    assert_int_equal(lull(&g), 3);
    /* It stands on: 3 s, 6 s, and so on. */
    assert_int_equal(lull(&g), 3);
    assert_int_equal(lull(&g), 6);
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 1), VERDICT_MOVES);
}

/* Each kernel is asked a few times in all. */
static void
test_lull_is_longer_than_any_before(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    assert_int_equal(lull(&g), 3);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(pass(&g, 500 * MS, 0, value_of(&g) + 1) != VERDICT_LULL);
        assert_int_equal(stand(&g, 5, 0, &after), VERDICT_NONE);
    }
    assert_int_equal(stand(&g, 1, 0, &after), VERDICT_LULL);
    /* One that was suspended for a day is not trusted for two. */
    assert_int_equal(pass(&g, 24 * 3600 * (uint64_t)S, 0, value_of(&g)),
                     VERDICT_LULL);
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 1), VERDICT_MOVES);
    assert_int_equal(lull(&g), law.lull_cap_us / (500 * MS));
}

static void
test_busy_cpus_are_no_lull(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    assert_int_equal(lull(&g), 3);
    assert_int_equal(stand(&g, 20, 400 * MS, &after), VERDICT_STANDS);
    assert_int_equal(stand(&g, 4000, 0, &after), VERDICT_NONE);
}

/* What was used before the clock moved counts for nothing. */
static void
test_cpu_time_is_counted_from_the_last_move(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(stand(&g, 2, 240 * MS, &after), VERDICT_NONE);
        assert_int_equal(pass(&g, 500 * MS, 400 * MS, value_of(&g) + 1),
                         VERDICT_NONE);
    }
}

/* RAM that was handed in: nobody knows its QEMU. */
static void
test_unknown_cpu_time_takes_ten_seconds(void **state)
{
    struct guest g = guest_that_runs(false);
    unsigned after;
    (void)state;
    assert_int_equal(stand(&g, 19, 0, &after), VERDICT_NONE);
    assert_int_equal(stand(&g, 1, 0, &after), VERDICT_STANDS);
}

/* The threads of CPUs that were unplugged took their time with them. */
static void
test_cpu_time_that_goes_back_begins_anew(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    assert_int_equal(stand(&g, 2, 300 * MS, &after), VERDICT_NONE);
    g.cpu_us = 1 * S;
    assert_int_equal(stand(&g, 2, 100 * MS, &after), VERDICT_NONE);
    assert_int_equal(stand(&g, 8, 100 * MS, &after), VERDICT_STANDS);
}

static void
test_clock_that_moves_again(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(stand(&g, 20, 400 * MS, &after), VERDICT_STANDS);
        assert_int_equal(pass(&g, 500 * MS, 400 * MS, value_of(&g) + 1),
                         VERDICT_MOVES);
    }
}

/* A guest that was held up catches up for a minute, and no more. */
static void
test_clock_that_goes_too_far_is_another_ones(void **state)
{
    struct guest g = guest_that_runs(true);
    (void)state;
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 60 * HZ),
                     VERDICT_NONE);
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 60 * HZ + 1),
                     VERDICT_REPLACED);
}

static void
test_clock_that_goes_back_is_another_ones(void **state)
{
    struct guest g = guest_that_runs(true);
    (void)state;
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) - 1), VERDICT_REPLACED);
}

/* Some clocks go on after a panic. */
/* One of two words goes back, and the other has not moved meanwhile: it did so
 * a moment before, or does not any more. */
static void
test_clocks_that_are_torn(void **state)
{
    static const uint64_t torn[] = {5000, 4000};
    static const uint64_t on[] = {5100, 4000};
    (void)state;
    for (unsigned goes_on = 0; goes_on < 2; goes_on++) {
        struct guest g = guest_begin(true);
        g.words.n = 2;
        g.words.word[1] = g.words.word[0];
        struct verdict_reading reading = {.now_us = START + 500 * MS,
                                          .values = torn};
        assert_int_equal(verdict_judge(&g.state, &law, &g.words, &reading),
                         VERDICT_NONE);
        reading.now_us += 500 * MS;
        reading.values = goes_on ? on : torn;
        assert_int_equal(verdict_judge(&g.state, &law, &g.words, &reading),
                         goes_on ? VERDICT_MOVES : VERDICT_REPLACED);
    }
}

static void
test_panic_is_told_once(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    g.panicked = true;
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 125), VERDICT_DIED);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 125),
                         VERDICT_NONE);
    assert_int_equal(stand(&g, 10, 400 * MS, &after), VERDICT_STANDS);
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) - 1), VERDICT_REPLACED);
}

/* Also by an agent that came later. */
static void
test_panic_before_it_was_listened_to(void **state)
{
    struct guest g = guest_begin(true);
    (void)state;
    g.panicked = true;
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g)), VERDICT_DIED);
}

static void
test_hole_is_another_ones(void **state)
{
    struct guest g = guest_that_runs(true);
    (void)state;
    assert_int_equal(pass(&g, 500 * MS, 0, 0), VERDICT_REPLACED);
    g = guest_begin(true);
    assert_int_equal(pass(&g, 500 * MS, 0, 0), VERDICT_REPLACED);
}

/* Both begin anew at a resume, whatever was before. */
static void
test_begin_forgets_how_long_it_stood(void **state)
{
    struct guest g = guest_that_runs(true);
    unsigned after;
    (void)state;
    assert_int_equal(stand(&g, 2, 240 * MS, &after), VERDICT_NONE);
    g.now_us += 3600 * (uint64_t)S;
    g.cpu_us += 10 * S;
    verdict_begin(&g.state, g.now_us);
    assert_int_equal(stand(&g, 2, 240 * MS, &after), VERDICT_NONE);
}

static void
test_cpu_time_is_not_read_of_a_clock_that_moves(void **state)
{
    struct guest g = guest_that_runs(true);
    (void)state;
    assert_false(verdict_wants_cpu(&g.state, &law, g.now_us));
    assert_false(verdict_wants_cpu(&g.state, &law, g.now_us + 499 * MS));
    assert_true(verdict_wants_cpu(&g.state, &law, g.now_us + 500 * MS));
}

/* A kernel that is pending has no words yet: the CPU time alone is followed. */
static void
test_no_words_never_stand(void **state)
{
    struct guest g = guest_begin(true);
    (void)state;
    g.words.n = 0;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(pass(&g, 500 * MS, 400 * MS, 5000), VERDICT_NONE);
    assert_true(g.state.has_cpu);
    assert_int_equal(g.state.cpu_us, 99 * 400 * MS);
}

/* ... whose log was read once, as that of each kernel is. */
static struct guest
guest_that_logs(void)
{
    struct guest g = guest_that_runs(true);
    g.has_log = true;
    g.log_head = 100;
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 100), VERDICT_NONE);
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 100), VERDICT_WROTE);
    return g;
}

/* The clock goes on for so long; how often are messages to be read? Each half
 * second `more` of them come. */
static unsigned
count_reads(struct guest *g, unsigned seconds, unsigned more)
{
    unsigned reads = 0;
    for (unsigned i = 0; i < 2 * seconds; i++) {
        g->log_head += more;
        enum verdict verdict = pass(g, 500 * MS, 0, value_of(g) + 100);
        assert_true(verdict == VERDICT_NONE || verdict == VERDICT_WROTE);
        reads += verdict == VERDICT_WROTE;
    }
    return reads;
}

static void
test_log_that_does_not_grow_is_not_read(void **state)
{
    struct guest g = guest_that_logs();
    (void)state;
    assert_int_equal(count_reads(&g, 600, 0), 0);
}

/* A panic is many messages: none is read before the last has come. */
static void
test_log_is_read_when_it_has_fallen_silent(void **state)
{
    struct guest g = guest_that_logs();
    (void)state;
    assert_int_equal(count_reads(&g, 5, 7), 0);
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 100), VERDICT_WROTE);
    assert_int_equal(count_reads(&g, 600, 0), 0);
}

static void
test_log_that_never_falls_silent_is_read_each_ten_seconds(void **state)
{
    struct guest g = guest_that_logs();
    (void)state;
    assert_in_range(count_reads(&g, 600, 3), 55, 60);
}

/* Now and then a message: each could be the last. */
static void
test_log_is_read_each_ten_seconds_in_the_long_run(void **state)
{
    struct guest g = guest_that_logs();
    unsigned reads = 0;
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        g.log_head++;
        reads += count_reads(&g, 2, 0);
        reads += i % 2 == 0 ? 0 : count_reads(&g, 1, 0);
    }
    assert_in_range(reads, 70, 80); /* in 750 s */
    count_reads(&g, 600, 0);
    for (unsigned i = 0; i < 4; i++) {
        g.log_head++;
        assert_int_equal(count_reads(&g, 1, 0), 1);
    }
}

static void
test_log_that_was_not_read_is_to_be_read_again(void **state)
{
    struct guest g = guest_that_logs();
    (void)state;
    verdict_unread(&g.state, g.now_us);
    assert_int_equal(count_reads(&g, 60, 0), 1);
    assert_int_equal(count_reads(&g, 60, 0), 0);
}

/* Neither the log nor that it is to be read is lost when a clock stands. */
static void
test_log_of_a_clock_that_stands(void **state)
{
    struct guest g = guest_that_logs();
    unsigned times;
    (void)state;
    g.log_head++;
    assert_int_equal(stand(&g, 10, 450 * MS, &times), VERDICT_WROTE);
    assert_int_equal(stand(&g, 10, 450 * MS, &times), VERDICT_STANDS);
    g.log_head++;
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 1), VERDICT_MOVES);
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 1), VERDICT_WROTE);
}

static void
test_log_of_the_dead_is_not_read(void **state)
{
    struct guest g = guest_that_logs();
    (void)state;
    g.panicked = true;
    g.log_head++;
    assert_int_equal(pass(&g, 500 * MS, 0, value_of(&g) + 100), VERDICT_DIED);
    assert_int_equal(count_reads(&g, 600, 0), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_clock_that_goes_on_is_told_once),
        T(test_first_reading_is_no_sign_of_life),
        T(test_panic_stands_within_two_seconds),
        T(test_busy_cpus_do_not_hurry_the_verdict),
        T(test_guest_that_uses_no_cpu_never_stands),
        T(test_guest_that_idles_is_a_lull),
        T(test_lull_is_longer_than_any_before),
        T(test_busy_cpus_are_no_lull),
        T(test_cpu_time_is_counted_from_the_last_move),
        T(test_unknown_cpu_time_takes_ten_seconds),
        T(test_cpu_time_that_goes_back_begins_anew),
        T(test_clock_that_moves_again),
        T(test_clock_that_goes_too_far_is_another_ones),
        T(test_clock_that_goes_back_is_another_ones),
        T(test_clocks_that_are_torn),
        T(test_panic_is_told_once),
        T(test_panic_before_it_was_listened_to),
        T(test_hole_is_another_ones),
        T(test_begin_forgets_how_long_it_stood),
        T(test_cpu_time_is_not_read_of_a_clock_that_moves),
        T(test_no_words_never_stand),
        T(test_log_that_does_not_grow_is_not_read),
        T(test_log_is_read_when_it_has_fallen_silent),
        T(test_log_that_never_falls_silent_is_read_each_ten_seconds),
        T(test_log_is_read_each_ten_seconds_in_the_long_run),
        T(test_log_that_was_not_read_is_to_be_read_again),
        T(test_log_of_a_clock_that_stands),
        T(test_log_of_the_dead_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
