/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Items come out in order, and the descriptor says whether there are any. */
#include "unit.h"

#include <poll.h>
#include <pthread.h>

#include "common/queue.h"

#define ITEMS 1000

static struct queue *
start(void)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct queue *queue;
    assert_done(queue_create(&queue, &err), &err);
    return queue;
}

static bool
is_readable(const struct queue *queue)
{
    struct pollfd poller = {.fd = queue_fd(queue), .events = POLLIN};
    return poll(&poller, 1, 0) == 1;
}

static void
test_first_in_is_first_out(void **state)
{
    struct queue *queue = start();
    struct queue_item items[3];
    (void)state;
    assert_null(queue_pop(queue));
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3; i++)
            queue_push(queue, &items[i]);
        for (unsigned i = 0; i < 3; i++)
            assert_ptr_equal(queue_pop(queue), &items[i]);
        assert_null(queue_pop(queue));
    }
    queue_destroy(queue);
    queue_destroy(NULL);
}

static void
test_descriptor_is_readable_while_there_are_items(void **state)
{
    struct queue *queue = start();
    struct queue_item items[2];
    (void)state;
    assert_false(is_readable(queue));
    queue_push(queue, &items[0]);
    queue_push(queue, &items[1]);
    assert_true(is_readable(queue));
    queue_pop(queue);
    assert_true(is_readable(queue));
    queue_pop(queue);
    assert_false(is_readable(queue));
    queue_destroy(queue);
}

struct pusher {
    struct queue *queue;
    struct queue_item items[ITEMS];
};

static void *
push_all(void *arg)
{
    struct pusher *p = arg;
    for (unsigned i = 0; i < ITEMS; i++)
        queue_push(p->queue, &p->items[i]);
    return NULL;
}

/* None is lost between a pop that finds nothing and the next poll. */
static void
test_reader_that_polls_gets_all(void **state)
{
    static struct pusher p;
    pthread_t thread;
    (void)state;
    p.queue = start();
    assert_int_equal(pthread_create(&thread, NULL, push_all, &p), 0);
    for (unsigned n = 0; n < ITEMS;) {
        struct pollfd poller = {.fd = queue_fd(p.queue), .events = POLLIN};
        const struct queue_item *item;
        assert_int_equal(poll(&poller, 1, 60000), 1);
        while ((item = queue_pop(p.queue)) != NULL)
            assert_ptr_equal(item, &p.items[n++]);
    }
    pthread_join(thread, NULL);
    queue_destroy(p.queue);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_is_first_out),
        cmocka_unit_test(test_descriptor_is_readable_while_there_are_items),
        cmocka_unit_test(test_reader_that_polls_gets_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
