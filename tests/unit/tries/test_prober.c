/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What can be known of one prober, and when. */
#include "unit.h"

#include <poll.h>
#include <semaphore.h>

#include "fakeprober.h"
#include "guestimg.h"
#include "sandbox/spawner.h"
#include "tries/prober.h"

#define RAM MEMCTX_MIB

struct fixture {
    struct spawner *spawner;
    struct guestimg img;
    struct memctx_start start;
    sem_t launched;
    struct prober *prober;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    assert_done(spawner_create(&f->spawner, &f->err), &f->err);
    guestimg_init(&f->img, RAM, RAM);
    f->start.maps[0] = guestimg_rammap(&f->img, NULL);
    f->start.n_maps = 1;
    f->start.output_fd = -1;
    sem_init(&f->launched, 0, 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    prober_destroy(f->prober);
    spawner_destroy(f->spawner, EXECUTOR_NO_LIMIT);
    sem_destroy(&f->launched);
    memctx_start_deinit(&f->start);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static void
on_launched(void *arg)
{
    sem_post(arg);
}

/* Until the spawner has answered. */
static void
launch(struct fixture *f, const char *program)
{
    assert_done(prober_launch(f->spawner, program, on_launched, &f->launched,
                              &f->prober, &f->err),
                &f->err);
    assert_done(prober_equip(f->prober, &f->start, &f->err), &f->err);
    while (sem_wait(&f->launched) < 0)
        ;
}

static int
ask(struct fixture *f)
{
    const struct memctx_probe_request request = {.task = MEMCTX_PROBE_TRY};
    return prober_ask(f->prober, &request, &f->err);
}

/* The keeper may ask before it knows whether there is a program. */
static void
test_question_to_a_program_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    /* valgrind starts a program before it knows that there is none. */
    if (is_under_valgrind())
        skip();
    launch(f, "/nonexistent/memctx-prober");
    assert_done(ask(f), &f->err);
    assert_int_equal(prober_has_started(f->prober, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY,
                 "/nonexistent/memctx-prober cannot be started: No such file");
}

static void
test_question_to_a_prober_that_has_ended(void **state)
{
    struct fixture *f = *state;
    char program[FAKEPROBER_PATH_MAX];
    char why[80];
    fakeprober_path(program);
    guestimg_write(&f->img, 0, "leave 3", 8);
    launch(f, program);
    assert_done(prober_has_started(f->prober, &f->err), &f->err);
    assert_done(ask(f), &f->err);
    struct pollfd end = {.fd = prober_pidfd(f->prober), .events = POLLIN};
    assert_int_equal(poll(&end, 1, 60000), 1);
    assert_int_equal(ask(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, "the prober does not listen");
    assert_true(prober_reap(f->prober, why, sizeof(why)));
    assert_string_equal(why, "ended with status 3");
    assert_false(prober_reap(f->prober, why, sizeof(why)));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_question_to_a_program_that_is_not_there),
        T(test_question_to_a_prober_that_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
