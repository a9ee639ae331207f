/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A listener on an event loop that is made of the functions below: who cannot
 * be let in stays in the socket's queue, and that must not make the loop spin.
 * A libvirt call that nobody expected does not link. */
#include "unit.h"

#include <libvirt/libvirt.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/listener.h"

#define HANDLE 5
#define TIMER 7

/* The loop: one handle and one timer. */
struct loop {
    virEventHandleCallback on_event;
    virEventTimeoutCallback on_timer;
    void *handle_arg;
    void *timer_arg;
    int fd;         /* -1: no handle */
    int events;     /* that the handle waits for */
    int timeout_ms; /* -1: the timer is not armed */
    bool has_timer;
    bool fails; /* takes no handle */
};

static struct loop *
loop(void)
{
    static struct loop the_loop;
    return &the_loop;
}

int
virEventAddHandle(int fd, int events, virEventHandleCallback cb, void *opaque,
                  virFreeCallback ff)
{
    assert_null(ff);
    if (loop()->fails)
        return -1;
    loop()->on_event = cb;
    loop()->handle_arg = opaque;
    loop()->fd = fd;
    loop()->events = events;
    return HANDLE;
}

void
virEventUpdateHandle(int handle, int events)
{
    assert_int_equal(handle, HANDLE);
    loop()->events = events;
}

int
virEventRemoveHandle(int handle)
{
    assert_int_equal(handle, HANDLE);
    loop()->fd = -1;
    return 0;
}

int
virEventAddTimeout(int timeout_ms, virEventTimeoutCallback cb, void *opaque,
                   virFreeCallback ff)
{
    assert_null(ff);
    loop()->on_timer = cb;
    loop()->timer_arg = opaque;
    loop()->timeout_ms = timeout_ms;
    loop()->has_timer = true;
    return TIMER;
}

void
virEventUpdateTimeout(int timer, int timeout_ms)
{
    assert_int_equal(timer, TIMER);
    loop()->timeout_ms = timeout_ms;
}

int
virEventRemoveTimeout(int timer)
{
    assert_int_equal(timer, TIMER);
    loop()->has_timer = false;
    return 0;
}

/* Somebody has connected. */
static void
happen(void)
{
    loop()->on_event(HANDLE, loop()->fd, VIR_EVENT_HANDLE_READABLE,
                     loop()->handle_arg);
}

struct fixture {
    char dir[64];
    struct listener *listener;
    int accepted; /* the last one; -1 */
    unsigned n_accepted;
    struct rlimit limit; /* as it was */
};

static void
on_accepted(void *arg, int fd)
{
    struct fixture *f = arg;
    if (f->accepted >= 0)
        close(f->accepted);
    f->accepted = fd;
    f->n_accepted++;
}

static int
create(struct fixture *f, struct memctx_error *err)
{
    return listener_create(f->dir, "sock", 0640, on_accepted, f, &f->listener,
                           err);
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->accepted = -1;
    strcpy(f->dir, "/tmp/memctx-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &f->limit), 0);
    *loop() = (struct loop){.fd = -1};
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    setrlimit(RLIMIT_NOFILE, &f->limit);
    listener_destroy(f->listener);
    if (f->accepted >= 0)
        close(f->accepted);
    assert_int_equal(rmdir(f->dir), 0); /* the socket is gone */
    assert_int_equal(loop()->fd, -1);
    assert_false(loop()->has_timer);
    free(f);
    return 0;
}

static int
connect_to(const struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", f->dir);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    return fd;
}

/* No descriptor is left from now on. */
static void
exhaust(const struct fixture *f)
{
    int next = dup(STDIN_FILENO);
    assert_true(next >= 0);
    close(next);
    struct rlimit limit = {.rlim_cur = (rlim_t)next,
                           .rlim_max = f->limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
test_who_connects_is_handed_over(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char path[80];
    struct stat st;
    assert_done(create(f, &err), &err);
    snprintf(path, sizeof(path), "%s/sock", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(loop()->events, VIR_EVENT_HANDLE_READABLE);
    assert_int_equal(loop()->timeout_ms, -1);
    int fd = connect_to(f);
    happen();
    assert_int_equal(f->n_accepted, 1);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    char byte = 0;
    assert_int_equal(recv(f->accepted, &byte, 1, 0), 1);
    assert_int_equal(byte, 'x');
    /* It must not wait: this is the loop's thread. */
    assert_int_equal(recv(f->accepted, &byte, 1, 0), -1);
    close(fd);
}

/* A client that left again before its turn. */
static void
test_nobody_there_is_no_reason_to_look_away(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(create(f, &err), &err);
    happen();
    assert_int_equal(f->n_accepted, 0);
    assert_int_equal(loop()->events, VIR_EVENT_HANDLE_READABLE);
    assert_int_equal(loop()->timeout_ms, -1);
}

static void
test_no_descriptors_left(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (is_under_valgrind())
        skip();
    assert_done(create(f, &err), &err);
    int fd = connect_to(f);
    exhaust(f);
    for (unsigned i = 0; i < 3; i++) {
        happen();
        /* The event stays; nobody waits for it for a while. */
        assert_int_equal(f->n_accepted, 0);
        assert_int_equal(loop()->events, 0);
        assert_true(loop()->timeout_ms > 0);
        loop()->on_timer(TIMER, loop()->timer_arg);
        assert_int_equal(loop()->events, VIR_EVENT_HANDLE_READABLE);
        assert_int_equal(loop()->timeout_ms, -1);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &f->limit), 0);
    happen();
    assert_int_equal(f->n_accepted, 1);
    assert_int_equal(loop()->events, VIR_EVENT_HANDLE_READABLE);
    close(fd);
}

static void
test_no_directory_or_no_loop(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(listener_create("/nonexistent", "sock", 0600, on_accepted,
                                     f, &f->listener, &err),
                     -1);
    assert_error(&err, MEMCTX_PERMANENT, "cannot bind");
    loop()->fails = true;
    assert_int_equal(create(f, &err), -1);
    assert_error(&err, MEMCTX_EXHAUSTED, "cannot watch");
    assert_null(f->listener);
    listener_destroy(NULL);
}

/* Somebody removed it, or its directory. */
static void
test_socket_that_is_gone_is_bound_again(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), "%s/sock", f->dir);
    assert_done(create(f, &err), &err);
    assert_int_equal(listener_refresh(f->listener, &err), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(listener_refresh(f->listener, &err), 1);
    assert_int_equal(listener_refresh(f->listener, &err), 0);
    assert_done(listener_set_mode(f->listener, 0666, &err), &err);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(f->dir), 0);
    assert_int_equal(listener_refresh(f->listener, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "cannot bind");
    assert_int_equal(mkdir(f->dir, 0700), 0);
    assert_int_equal(listener_refresh(f->listener, &err), 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_who_connects_is_handed_over),
        TEST(test_nobody_there_is_no_reason_to_look_away),
        TEST(test_no_descriptors_left),
        TEST(test_no_directory_or_no_loop),
        TEST(test_socket_that_is_gone_is_bound_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
