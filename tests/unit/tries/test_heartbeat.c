/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What clock words tell of a kernel, and of whom they tell while another
 * guest's RAM cannot be read. */
#include "unit.h"

#include <poll.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guestimg.h"
#include "tries/heartbeat.h"

#define RAM MEMCTX_MIB
#define WORD 0x1000
#define BLIND_US 20000

struct guest {
    struct guestimg img;
    struct memctx_rammap *map;
    struct heartbeat_listener *listener;
    int fd;
};

struct fixture {
    struct heartbeat *heartbeat;
    struct guest guests[2];
    struct memctx_words words;
    struct memctx_error err;
};

static void
guest_join(struct fixture *f, struct guest *g)
{
    guestimg_init(&g->img, RAM, RAM);
    g->map = guestimg_rammap(&g->img, NULL);
    g->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_done(heartbeat_join(f->heartbeat, g->fd, &g->listener, &f->err),
                &f->err);
    guestimg_write_le64(&g->img, WORD, 1000);
    guestimg_write_le64(&g->img, WORD + 8, 1000);
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    const struct heartbeat_config config = {
        .period_us = 1000, .law = {.look_us = 1000, .blind_us = BLIND_US}};
    assert_done(heartbeat_create(&config, &f->heartbeat, &f->err), &f->err);
    for (unsigned i = 0; i < 2; i++)
        guest_join(f, &f->guests[i]);
    f->words = (struct memctx_words){
        .per_second = 1000,
        .least = 100,
        .n = 2,
        .word = {{.gpa = WORD, .value = 500}, {.gpa = WORD + 8, .value = 500}}};
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2; i++) {
        struct guest *g = &f->guests[i];
        heartbeat_leave(g->listener);
        memctx_rammap_destroy(g->map);
        guestimg_deinit(&g->img);
        close(g->fd);
    }
    heartbeat_destroy(f->heartbeat);
    test_free(f);
    return 0;
}

static bool
has_news(const struct guest *g, int wait_ms)
{
    struct pollfd fd = {.fd = g->fd, .events = POLLIN};
    return poll(&fd, 1, wait_ms) == 1;
}

/* A minute is for a machine that stands still. */
static enum heartbeat_news
hear(struct guest *g)
{
    enum heartbeat_news news;
    eventfd_t count;
    assert_true(has_news(g, 60000));
    assert_int_equal(eventfd_read(g->fd, &count), 0);
    assert_true(heartbeat_take(g->listener, &news));
    assert_false(heartbeat_take(g->listener, &news));
    return news;
}

static void
listen(struct fixture *f, struct guest *g, struct memctx_rammap *map)
{
    const struct heartbeat_subject subject = {.map = map, .words = f->words};
    heartbeat_listen(g->listener, &subject);
}

/* It ticks until that is heard. */
static enum heartbeat_news
tick_and_hear(struct guest *g)
{
    enum heartbeat_news news = HEARTBEAT_STANDS;
    /* It may have been seen to stand in between. */
    for (unsigned tick = 0; tick < 60000 && news == HEARTBEAT_STANDS; tick++) {
        guestimg_write_le64(&g->img, WORD,
                            guestimg_read_le64(&g->img, WORD) + 1);
        if (has_news(g, 1))
            news = hear(g);
    }
    return news;
}

static void
test_words_that_move(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    for (unsigned i = 0; i < 3; i++) {
        listen(f, g, g->map);
        assert_int_equal(tick_and_hear(g), HEARTBEAT_MOVES);
    }
}

/* That they have moved before is no news: it may be long ago. */
static void
test_words_that_stand_and_move_again(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    listen(f, g, g->map);
    assert_int_equal(hear(g), HEARTBEAT_STANDS);
    assert_true(heartbeat_age_us(g->listener) >= BLIND_US);
    assert_int_equal(tick_and_hear(g), HEARTBEAT_MOVES);
}

#define PANIC (WORD + 64)

/* The word of a kernel that panics has the number of a CPU; what is no such
 * number is another kernel's. */
static void
test_kernel_that_says_it_panicked(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    guestimg_write_le64(&g->img, PANIC, UINT64_MAX);
    f->words.panic_gpa = PANIC;
    listen(f, g, g->map);
    assert_int_equal(tick_and_hear(g), HEARTBEAT_MOVES);
    guestimg_write_le64(&g->img, PANIC, UINT64_C(0xffffffff12345678));
    assert_int_equal(hear(g), HEARTBEAT_STANDS);
    guestimg_write_le64(&g->img, PANIC, UINT64_C(0xffffffff00000003));
    assert_int_equal(hear(g), HEARTBEAT_DIED);
}

/* No guest moves them. */
/* Its clock goes on: that it has logged something is told once. */
static void
test_kernel_that_logs_something(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    f->words.log_gpa = PANIC;
    f->words.log_bytes = 4;
    listen(f, g, g->map);
    assert_int_equal(hear(g), HEARTBEAT_WROTE);
    assert_int_equal(tick_and_hear(g), HEARTBEAT_MOVES);
    assert_int_equal(hear(g), HEARTBEAT_STANDS);
    guestimg_write_le64(&g->img, PANIC, UINT64_C(0xffffffff00000000));
    assert_false(has_news(g, 10)); /* that is not in the word */
    guestimg_write_le64(&g->img, PANIC, 1);
    assert_int_equal(hear(g), HEARTBEAT_WROTE);
    assert_false(has_news(g, 10));
    heartbeat_unread(g->listener);
    assert_int_equal(hear(g), HEARTBEAT_WROTE);
}

static void
test_synthetic_words_move(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    const struct heartbeat_subject subject = {
        .map = g->map,
        .words = {.per_second = 1000, .n = 1, .word = {{.gpa = WORD}}},
        .synthetic = true};
    heartbeat_listen(g->listener, &subject);
    assert_int_equal(hear(g), HEARTBEAT_MOVES);
}

/* ... but that they are less than then is: another kernel counts there. */
static void
test_words_that_went_back_before(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    f->words.word[1].value = 1001;
    listen(f, g, g->map);
    assert_int_equal(hear(g), HEARTBEAT_REPLACED);
}

static void
test_words_that_go_back(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    listen(f, g, g->map);
    uint64_t value = 1000;
    for (; value > 100 && !has_news(g, 1); value--)
        guestimg_write_le64(&g->img, WORD, value - 1);
    assert_int_equal(hear(g), HEARTBEAT_REPLACED);
}

static void
test_words_that_cannot_be_read(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    f->words.word[1].gpa = RAM;
    listen(f, g, g->map);
    assert_int_equal(hear(g), HEARTBEAT_UNREAD);
}

static void
test_nothing_is_told_to_who_does_not_listen(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guests[0];
    enum heartbeat_news news;
    listen(f, g, g->map);
    heartbeat_stop(g->listener);
    guestimg_write_le64(&g->img, WORD, 2000);
    /* Another one has been told by then. */
    listen(f, &f->guests[1], f->guests[1].map);
    assert_int_equal(tick_and_hear(&f->guests[1]), HEARTBEAT_MOVES);
    assert_false(heartbeat_take(g->listener, &news));
    assert_int_equal(heartbeat_age_us(g->listener), 0);
}

/* RAM that lies where nobody answers. */
static ssize_t
read_never(const struct memctx_source *source, void *buf, size_t len_bytes,
           uint64_t offset)
{
    (void)offset;
    sem_wait(source->arg);
    memset(buf, 0, len_bytes);
    return (ssize_t)len_bytes;
}

static const struct memctx_backend_io never_io = {.read_at = read_never};

static struct memctx_rammap *
make_map_of_nowhere(struct fixture *f, sem_t *answers)
{
    struct memctx_rammap *map;
    unsigned index;
    const struct memctx_source source = {-1, -1, -1, 0, answers};
    const struct memctx_extent all = {0, RAM, 0, 0};
    assert_done(memctx_rammap_create(&map, &f->err), &f->err);
    assert_done(memctx_rammap_add_source(map, "ram", &source, RAM, &never_io,
                                         &index, &f->err),
                &f->err);
    assert_done(memctx_rammap_add_extent(map, &all, &f->err), &f->err);
    return map;
}

static void
test_read_that_hangs_holds_nobody_up(void **state)
{
    struct fixture *f = *state;
    struct guest *hung = &f->guests[0];
    struct guest *well = &f->guests[1];
    static sem_t answers; /* outlives the threads that wait for it */
    sem_init(&answers, 0, 0);
    struct memctx_rammap *map = make_map_of_nowhere(f, &answers);
    for (unsigned i = 0; i < 2; i++) {
        listen(f, hung, map);
        listen(f, well, well->map);
        assert_int_equal(hear(hung), HEARTBEAT_UNREAD);
        assert_int_equal(tick_and_hear(well), HEARTBEAT_MOVES);
    }
    memctx_rammap_destroy(map);
    for (unsigned i = 0; i < 8; i++)
        sem_post(&answers);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_words_that_move),
        T(test_words_that_stand_and_move_again),
        T(test_kernel_that_says_it_panicked),
        T(test_synthetic_words_move),
        T(test_words_that_went_back_before),
        T(test_words_that_go_back),
        T(test_words_that_cannot_be_read),
        T(test_nothing_is_told_to_who_does_not_listen),
        T(test_read_that_hangs_holds_nobody_up),
        T(test_kernel_that_logs_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
