/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Probers that do what they must not: each costs its own guest a try, and
 * nobody else anything. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fakeprober.h"
#include "guestimg.h"
#include "sandbox/spawner.h"
#include "tries/tries.h"

#define GUESTS 4
#define RAM MEMCTX_MIB
#define HOUR_US (UINT64_C(3600) * 1000000)

/* One guest, whose RAM says what its prober does. */
struct guest {
    struct guestimg img;
    struct memctx_rammap *map;
    struct tries_client *client;
    int fd;
    struct tries_outcome outcome;
};

struct fixture {
    char program[FAKEPROBER_PATH_MAX];
    struct spawner *spawner;
    struct tries *tries;
    struct tries_config config;
    struct guest guests[GUESTS];
    struct memctx_error err;
};

static void
join_guest(struct fixture *f, struct guest *g)
{
    guestimg_init(&g->img, RAM, RAM);
    g->map = guestimg_rammap(&g->img, NULL);
    g->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_done(tries_join(f->tries, g->fd, &g->client, &f->err), &f->err);
    tries_set_ram(g->client, &g->map, 1);
}

/* A minute is for a machine that stands still. Limits are an hour where a test
 * does not want them to be reached. */
static void
begin(struct fixture *f)
{
    assert_done(tries_create(&f->config, &f->tries, &f->err), &f->err);
    for (unsigned i = 0; i < GUESTS; i++)
        join_guest(f, &f->guests[i]);
}

static void
end(struct fixture *f)
{
    for (unsigned i = 0; i < GUESTS; i++) {
        struct guest *g = &f->guests[i];
        tries_leave(g->client);
        memctx_rammap_destroy(g->map);
        guestimg_deinit(&g->img);
        close(g->fd);
    }
    tries_destroy(f->tries);
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    fakeprober_path(f->program);
    assert_done(spawner_create(&f->spawner, &f->err), &f->err);
    f->config = (struct tries_config){
        .spawner = f->spawner,
        .program = f->program,
        .places = 2,
        .live_max = 64,
        .limits = {[TRIES_SHORT] = {HOUR_US, HOUR_US},
                   [TRIES_LONG] = {HOUR_US, HOUR_US},
                   [TRIES_LIGHT] = {HOUR_US, HOUR_US}},
    };
    *state = f;
    return 0;
}

/* No prober is left, and none that was not reaped. */
static int
teardown(void **state)
{
    struct fixture *f = *state;
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    test_free(f);
    return 0;
}

static void
ask_in(struct guest *g, enum tries_lane lane, const char *word)
{
    const struct memctx_probe_request request = {.task = MEMCTX_PROBE_TRY};
    char text[32] = "";
    snprintf(text, sizeof(text), "%s", word);
    guestimg_write(&g->img, 0, text, sizeof(text));
    tries_ask(g->client, &request, lane);
}

static enum tries_fault
take(struct guest *g)
{
    struct pollfd fd = {.fd = g->fd, .events = POLLIN};
    eventfd_t count;
    /* An answer may have woken us that was dropped before we came for it. */
    do {
        assert_int_equal(poll(&fd, 1, 60000), 1);
        assert_int_equal(eventfd_read(g->fd, &count), 0);
    } while (!tries_take(g->client, &g->outcome));
    assert_false(tries_take(g->client, &g->outcome));
    return g->outcome.fault;
}

static enum tries_fault
ask(struct guest *g, const char *word)
{
    ask_in(g, TRIES_SHORT, word);
    return take(g);
}

static bool
has_outcome(const struct guest *g)
{
    struct pollfd fd = {.fd = g->fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

/* How often the prober that answered had been asked. */
static unsigned
asked(const struct guest *g)
{
    return g->outcome.answer.candidates;
}

static void
test_prober_keeps_its_state_from_try_to_try(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    begin(f);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ask(g, "good"), TRIES_FINE);
        assert_int_equal(asked(g), i);
        assert_string_equal(g->outcome.answer.why.message, "fake");
    }
    assert_true(tries_spent_us(g->client) > 0);
    assert_int_equal(tries_faults(g->client), 0);
    tries_rest(g->client);
    assert_int_equal(ask(g, "good"), TRIES_FINE);
    assert_int_equal(asked(g), 1);
    end(f);
}

static void
test_other_ram_takes_another_prober(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    begin(f);
    assert_int_equal(ask(g, "good"), TRIES_FINE);
    tries_set_ram(g->client, &g->map, 1);
    assert_int_equal(ask(g, "good"), TRIES_FINE);
    assert_int_equal(asked(g), 1);
    end(f);
}

/* Each fault, and that the next try is made by a prober that knows nothing of
 * it. */
static void
test_each_fault_costs_a_try(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    static const struct {
        const char *word;
        enum tries_fault fault;
        const char *words;
    } rows[] = {
        {"crash", TRIES_CRASHED, "signal 11"},
        {"leave 0", TRIES_CRASHED, "status 0"},
        {"leave 3", TRIES_CRASHED, "status 3"},
        {"close", TRIES_CRASHED, "signal 9"},
        {"spin", TRIES_SPUN, "200 ms of CPU"},
        {"other", TRIES_LIED, "not asked for"},
        {"nonsense 1", TRIES_LIED, "bytes"},
        {"nonsense 8000", TRIES_LIED, "bytes"},
    };
    f->config.limits[TRIES_SHORT].cpu_us = 200000;
    begin(f);
    for (unsigned i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        assert_int_equal(ask(g, rows[i].word), rows[i].fault);
        assert_error(&g->outcome.why, MEMCTX_RETRY, rows[i].words);
        assert_int_equal(tries_faults(g->client), i + 1);
        assert_int_equal(tries_last_fault(g->client), rows[i].fault);
        assert_int_equal(ask(g, "good"), TRIES_FINE);
        assert_int_equal(asked(g), 1);
    }
    end(f);
}

static void
test_no_answer_in_time_is_the_end(void **state)
{
    struct fixture *f = *state;
    f->config.limits[TRIES_SHORT].wall_us = 50000;
    begin(f);
    assert_int_equal(ask(&f->guests[0], "hang"), TRIES_HUNG);
    assert_error(&f->guests[0].outcome.why, MEMCTX_RETRY, "50 ms");
    end(f);
}

static void
test_program_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    f->config.program = "/nonexistent/memctx-prober";
    /* valgrind starts a program before it knows that there is none. */
    if (is_under_valgrind())
        skip();
    begin(f);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ask(&f->guests[0], "good"), TRIES_NOT_STARTED);
        assert_error(&f->guests[0].outcome.why, MEMCTX_RETRY,
                     "No such file or directory");
    }
    end(f);
}

/* The first answer is one; the rest is the end of it. */
static void
test_flood_ends_at_the_second_answer(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    begin(f);
    assert_int_equal(ask(g, "flood 1000000"), TRIES_FINE);
    while (tries_faults(g->client) == 0)
        usleep(1000);
    assert_int_equal(ask(g, "good"), TRIES_FINE);
    assert_int_equal(asked(g), 1);
    end(f);
}

static void
test_prober_that_rests_must_not_work(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    begin(f);
    assert_int_equal(ask(g, "rest"), TRIES_FINE);
    while (tries_faults(g->client) == 0)
        usleep(1000);
    assert_int_equal(tries_last_fault(g->client), TRIES_SPUN);
    end(f);
}

/* Whatever is wrong with what they say, nothing but "not yet" comes of it. */
static void
test_many_lies_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    begin(f);
    for (unsigned i = 0; i < 300; i++) {
        char word[32];
        snprintf(word, sizeof(word), "lie %u", i);
        if (ask(g, word) == TRIES_FINE)
            assert_int_equal(g->outcome.answer.verdict, MEMCTX_PROBE_FAILED);
        else
            assert_int_equal(g->outcome.fault, TRIES_LIED);
    }
    end(f);
}

/* Two that spin have both places, but not for ever; and what hangs has none. */
static void
test_faults_of_others_hold_nobody_up(void **state)
{
    struct fixture *f = *state;
    f->config.limits[TRIES_SHORT].cpu_us = 200000;
    begin(f);
    ask_in(&f->guests[0], TRIES_SHORT, "hang");
    ask_in(&f->guests[1], TRIES_SHORT, "hang");
    ask_in(&f->guests[2], TRIES_SHORT, "spin");
    assert_int_equal(ask(&f->guests[3], "good"), TRIES_FINE);
    assert_false(has_outcome(&f->guests[0]));
    assert_false(has_outcome(&f->guests[1]));
    assert_int_equal(take(&f->guests[2]), TRIES_SPUN);
    end(f);
}

static void
test_long_looks_have_a_lane_of_their_own(void **state)
{
    struct fixture *f = *state;
    f->config.places = 1;
    begin(f);
    ask_in(&f->guests[0], TRIES_LONG, "spin");
    ask_in(&f->guests[1], TRIES_LONG, "good");
    assert_int_equal(ask(&f->guests[2], "good"), TRIES_FINE);
    assert_false(has_outcome(&f->guests[1]));
    /* It is ended when nobody waits for it; then it is the other one's turn. */
    tries_drop(f->guests[0].client);
    assert_int_equal(take(&f->guests[1]), TRIES_FINE);
    assert_false(has_outcome(&f->guests[0]));
    assert_true(tries_spent_us(f->guests[0].client) > 0);
    end(f);
}

static void
test_cheap_tries_go_first(void **state)
{
    struct fixture *f = *state;
    struct guest *dear = &f->guests[0];
    struct guest *cheap = &f->guests[1];
    f->config.places = 1;
    begin(f);
    assert_int_equal(ask(dear, "work 100"), TRIES_FINE);
    assert_true(dear->outcome.cost_us >= 100000);
    assert_int_equal(ask(cheap, "good"), TRIES_FINE);
    ask_in(&f->guests[2], TRIES_SHORT, "work 50");
    ask_in(dear, TRIES_SHORT, "work 100");
    ask_in(cheap, TRIES_SHORT, "good");
    assert_int_equal(take(cheap), TRIES_FINE);
    assert_false(has_outcome(dear));
    assert_int_equal(take(dear), TRIES_FINE);
    end(f);
}

/* The next one counts; it is made when the prober is free again. */
static void
test_answer_that_nobody_waits_for_is_not_told(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    begin(f);
    assert_int_equal(ask(g, "good"), TRIES_FINE);
    ask_in(g, TRIES_SHORT, "work 20");
    tries_drop(g->client);
    assert_int_equal(ask(g, "good"), TRIES_FINE);
    assert_true(asked(g) >= 2);
    assert_false(has_outcome(g));
    ask_in(g, TRIES_SHORT, "work 20");
    assert_int_equal(ask(g, "good"), TRIES_FINE);
    assert_false(has_outcome(g));
    end(f);
}

/* What rests makes room. */
static void
test_no_more_probers_than_may_live(void **state)
{
    struct fixture *f = *state;
    f->config.live_max = 2;
    begin(f);
    assert_int_equal(ask(&f->guests[0], "good"), TRIES_FINE);
    assert_int_equal(ask(&f->guests[1], "good"), TRIES_FINE);
    assert_int_equal(ask(&f->guests[2], "good"), TRIES_FINE);
    assert_int_equal(ask(&f->guests[1], "good"), TRIES_FINE);
    assert_int_equal(asked(&f->guests[1]), 2);
    assert_int_equal(ask(&f->guests[0], "good"), TRIES_FINE);
    assert_int_equal(asked(&f->guests[0]), 1);
    assert_int_equal(tries_faults(f->guests[0].client), 0);
    end(f);
}

/* A name of the program that can be taken away. */
static void
link_program(struct fixture *f, char link[PATH_MAX])
{
    char dir[] = "/tmp/test_tries.XXXXXX";
    assert_non_null(mkdtemp(dir));
    snprintf(link, PATH_MAX, "%s/prober", dir);
    assert_int_equal(symlink(f->program, link), 0);
    f->config.program = link;
}

/* Nothing can be started any more; what was to be started before has been. */
static void
unlink_program(struct fixture *f, char link[PATH_MAX])
{
    char *argv[] = {(char[]){"true"}, NULL};
    char *envp[] = {NULL};
    int status;
    struct spawner_request last = {.path = "/bin/true",
                                   .argv = argv,
                                   .envp = envp,
                                   .fds = {-1, -1, -1, -1}};
    spawner_start(f->spawner, &last);
    assert_int_equal(last.failed, 0);
    assert_int_equal(waitpid(last.pid, &status, 0), last.pid);
    close(last.pidfd);
    assert_int_equal(unlink(link), 0);
    *strrchr(link, '/') = '\0';
    assert_int_equal(rmdir(link), 0);
}

/* The second one is not expected: as many are as may search at once. */
static void
test_prober_waits_for_ram_that_is_expected(void **state)
{
    struct fixture *f = *state;
    char link[PATH_MAX];
    if (is_under_valgrind())
        skip();
    f->config.places = 1;
    link_program(f, link);
    begin(f);
    for (unsigned i = 0; i < 2; i++) {
        tries_set_ram(f->guests[i].client, NULL, 0);
        tries_expect(f->guests[i].client);
    }
    unlink_program(f, link);
    for (unsigned i = 0; i < 2; i++)
        tries_set_ram(f->guests[i].client, &f->guests[i].map, 1);
    assert_int_equal(ask(&f->guests[1], "good"), TRIES_NOT_STARTED);
    assert_int_equal(ask(&f->guests[0], "good"), TRIES_FINE);
    assert_int_equal(asked(&f->guests[0]), 1);
    end(f);
}

static void
test_prober_without_ram_ends_when_none_comes(void **state)
{
    struct fixture *f = *state;
    begin(f);
    tries_expect(f->guests[0].client);
    tries_expect(f->guests[1].client);
    tries_rest(f->guests[0].client);
    end(f);
}

/* It has read nothing of the guest. */
static void
test_prober_without_ram_is_no_fault(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    f->config.program = "/nonexistent/memctx-prober";
    if (is_under_valgrind())
        skip();
    begin(f);
    tries_expect(g->client);
    assert_int_equal(ask(&f->guests[1], "good"), TRIES_NOT_STARTED);
    assert_int_equal(tries_faults(g->client), 0);
    end(f);
}

static void
test_guests_leave_whatever_their_probers_do(void **state)
{
    struct fixture *f = *state;
    static const char *const words[GUESTS] = {"spin", "hang", "crash",
                                              "flood 1000000"};
    for (unsigned round = 0; round < 5; round++) {
        begin(f);
        for (unsigned i = 0; i < GUESTS; i++)
            ask_in(&f->guests[i], TRIES_SHORT, words[i]);
        usleep(round * 2000);
        end(f);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_prober_keeps_its_state_from_try_to_try),
        T(test_other_ram_takes_another_prober),
        T(test_each_fault_costs_a_try),
        T(test_no_answer_in_time_is_the_end),
        T(test_program_that_is_not_there),
        T(test_flood_ends_at_the_second_answer),
        T(test_prober_that_rests_must_not_work),
        T(test_many_lies_change_nothing),
        T(test_faults_of_others_hold_nobody_up),
        T(test_long_looks_have_a_lane_of_their_own),
        T(test_cheap_tries_go_first),
        T(test_answer_that_nobody_waits_for_is_not_told),
        T(test_no_more_probers_than_may_live),
        T(test_prober_waits_for_ram_that_is_expected),
        T(test_prober_without_ram_ends_when_none_comes),
        T(test_prober_without_ram_is_no_fault),
        T(test_guests_leave_whatever_their_probers_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
