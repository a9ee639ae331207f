/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What takes its time to be destroyed holds nobody up. */
#include "unit.h"

#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/disposer.h"
#include "gate.h"
#include "linger.h"

#define WAITING_MAX 64 /* disposer.c's */

/* What is destroyed, and how it went. */
struct thing {
    int fd;            /* to be closed; -1 */
    struct gate *gate; /* NULL: nothing holds it up */
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
    if (thing->gate != NULL)
        gate_pass(thing->gate);
    atomic_fetch_add(&thing->destroyed, 1);
}

static struct disposer *
start(void)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct disposer *disposer;
    assert_done(disposer_create(&disposer, &err), &err);
    return disposer;
}

static void
test_it_is_done_on_another_thread(void **state)
{
    (void)state;
    struct gate gate = GATE_CLOSED;
    struct thing thing = {.fd = -1, .gate = &gate};
    struct disposer *disposer = start();
    disposer_take(disposer, destroy, &thing);
    assert_int_equal(thing.destroyed, 0);
    gate_open(&gate);
    disposer_destroy(disposer);
    assert_int_equal(thing.destroyed, 1);
    assert_false(pthread_equal(thing.by, pthread_self()));
    disposer_destroy(NULL);
}

/* A socket in whose queue is one that would wait for an hour: its peer, which
 * stays, takes nothing. */
static void
test_what_waits_is_interrupted(void **state)
{
    (void)state;
    struct linger_socket lingers;
    int pair[2];
    if (is_under_valgrind())
        skip();
    linger_init(&lingers, 3600);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_true(linger_send(&lingers, pair[0], "{}"));
    struct thing thing = {.fd = pair[1]};
    struct disposer *disposer = start();
    disposer_take(disposer, destroy, &thing);
    wait_until(atomic_load(&thing.destroyed) == 1);
    disposer_destroy(disposer);
    linger_deinit(&lingers);
    close(pair[0]);
}

/* So that what waits to be destroyed is bounded. */
static void
test_too_much_is_destroyed_at_once(void **state)
{
    (void)state;
    struct gate gate = GATE_CLOSED;
    struct thing slow = {.fd = -1, .gate = &gate};
    struct thing quick = {.fd = -1};
    struct disposer *disposer = start();
    disposer_take(disposer, destroy, &slow);
    for (unsigned i = 1; i < WAITING_MAX; i++)
        disposer_take(disposer, destroy, &quick);
    assert_int_equal(quick.destroyed, 0);
    disposer_take(disposer, destroy, &quick);
    assert_int_equal(quick.destroyed, 1);
    assert_true(pthread_equal(quick.by, pthread_self()));
    gate_open(&gate);
    disposer_destroy(disposer);
    assert_int_equal(quick.destroyed, WAITING_MAX);
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
