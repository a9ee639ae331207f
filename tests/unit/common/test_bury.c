/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What takes its time to be destroyed holds nobody up. */
#include "unit.h"

#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bury.h"
#include "wire/clocks.h"
#include "linger.h"

/* What is destroyed, and how it went. */
struct thing {
    int fd; /* to be closed; -1 */
    unsigned sleeps_ms;
    pthread_t by;
    atomic_uint destroyed;
};

static void
destroy(void *what)
{
    struct thing *thing = what;
    thing->by = pthread_self();
    if (thing->fd >= 0)
        close(thing->fd);
    for (uint64_t until = clocks_now_ms() + thing->sleeps_ms;
         clocks_now_ms() < until;)
        usleep(1000);
    atomic_fetch_add(&thing->destroyed, 1);
}

static struct bury *
start(void)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct bury *bury;
    assert_done(bury_create(&bury, &err), &err);
    return bury;
}

static void
test_it_is_done_on_another_thread(void **state)
{
    (void)state;
    struct thing thing = {.fd = -1, .sleeps_ms = 200};
    struct bury *bury = start();
    uint64_t before = clocks_now_ms();
    bury_what(bury, destroy, &thing);
    assert_true(clocks_now_ms() - before < 100);
    bury_destroy(bury);
    assert_int_equal(thing.destroyed, 1);
    assert_false(pthread_equal(thing.by, pthread_self()));
    bury_destroy(NULL);
}

/* A socket in whose queue is one that would wait for a minute. */
static void
test_what_waits_is_interrupted(void **state)
{
    (void)state;
    struct linger_socket lingers;
    int pair[2];
    if (is_under_valgrind())
        skip();
    linger_init(&lingers, 60);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_true(linger_send(&lingers, pair[0], "{}"));
    struct thing thing = {.fd = pair[1]};
    struct bury *bury = start();
    uint64_t before = clocks_now_ms();
    bury_what(bury, destroy, &thing);
    bury_destroy(bury);
    assert_true(clocks_now_ms() - before < 5000);
    assert_int_equal(thing.destroyed, 1);
    linger_deinit(&lingers);
    close(pair[0]);
}

/* So that what waits to be destroyed is bounded. */
static void
test_too_much_is_destroyed_at_once(void **state)
{
    (void)state;
    struct thing slow = {.fd = -1, .sleeps_ms = 300};
    struct thing quick = {.fd = -1};
    struct bury *bury = start();
    bury_what(bury, destroy, &slow);
    for (unsigned i = 0; i < 63; i++)
        bury_what(bury, destroy, &quick);
    assert_int_equal(quick.destroyed, 0);
    bury_what(bury, destroy, &quick);
    assert_int_equal(quick.destroyed, 1);
    assert_true(pthread_equal(quick.by, pthread_self()));
    bury_destroy(bury);
    assert_int_equal(quick.destroyed, 64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_done_on_another_thread),
        cmocka_unit_test(test_what_waits_is_interrupted),
        cmocka_unit_test(test_too_much_is_destroyed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
