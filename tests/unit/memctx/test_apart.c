/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How the part of a command ends that is done by a child. */
#include "unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "memctx/apart.h"

struct fixture {
    int sockets[2]; /* [1] is the child's alone, but for ours */
    enum exit_code code;
    struct memctx_error err;
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, f->sockets), 0);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    memctx_close_fd(&f->sockets[0]);
    memctx_close_fd(&f->sockets[1]);
    free(f);
    return 0;
}

static enum exit_code
find_nothing(void *arg)
{
    (void)arg;
    return EXIT_NOT_THERE;
}

static void
test_exit_code_is_handed_on(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(apart_run(find_nothing, f, &f->code, &f->err), 0);
    assert_int_equal(f->code, EXIT_NOT_THERE);
}

static enum exit_code
crash(void *arg)
{
    (void)arg;
    raise(SIGKILL);
    return EXIT_DONE;
}

static void
test_end_by_a_signal_of_its_own_is_an_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(apart_run(crash, f, &f->code, &f->err), -1);
    assert_error(&f->err, MEMCTX_PERMANENT, "was ended: Killed");
}

/* The parent gets the signal while it waits. */
static enum exit_code
interrupt_parent(void *arg)
{
    (void)arg;
    kill(getppid(), SIGTERM);
    pause();
    return EXIT_ERROR;
}

static void
test_interrupt_ends_the_child_and_is_told(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(apart_run(interrupt_parent, f, &f->code, &f->err), 1);
    assert_int_equal(f->code, EXIT_SIGNALLED + SIGTERM);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Both get it, as from a terminal. The child is not ended by it before the
 * parent knows, which would take it for a crash. */
static enum exit_code
interrupt_both(void *arg)
{
    kill(getpid(), SIGINT);
    return interrupt_parent(arg);
}

static void
test_interrupt_of_the_group_is_no_crash(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(apart_run(interrupt_both, f, &f->code, &f->err), 1);
    assert_in_range(f->code, EXIT_SIGNALLED + SIGINT, EXIT_SIGNALLED + SIGTERM);
}

/* Standard output may be a pipe that nobody reads any more. */
static enum exit_code
write_for_nobody(void *arg)
{
    struct fixture *f = arg;
    memctx_close_fd(&f->sockets[0]);
    return write(f->sockets[1], "x", 1) == 1 ? EXIT_DONE : EXIT_ERROR;
}

static void
test_closed_pipe_is_told_by_its_signal(void **state)
{
    struct fixture *f = *state;
    memctx_close_fd(&f->sockets[0]);
    assert_int_equal(apart_run(write_for_nobody, f, &f->code, &f->err), 1);
    assert_int_equal(f->code, EXIT_SIGNALLED + SIGPIPE);
}

/* What is left to be done must not be cut off. */
static void
test_signals_stay_blocked(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(apart_run(find_nothing, f, &f->code, &f->err), 0);
    sigset_t pending;
    raise(SIGINT);
    assert_int_equal(sigpending(&pending), 0);
    assert_true(sigismember(&pending, SIGINT));
    int number;
    assert_int_equal(sigwait(&pending, &number), 0);
}

static enum exit_code
tell_and_stay(void *arg)
{
    struct fixture *f = arg;
    if (write(f->sockets[1], "x", 1) != 1)
        return EXIT_ERROR;
    pause();
    return EXIT_ERROR;
}

static void
test_child_does_not_outlive_its_parent(void **state)
{
    struct fixture *f = *state;
    char byte;
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0)
        _exit(apart_run(tell_and_stay, f, &f->code, &f->err));
    memctx_close_fd(&f->sockets[1]);
    assert_int_equal(read(f->sockets[0], &byte, 1), 1);
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(read(f->sockets[0], &byte, 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_exit_code_is_handed_on),
        TEST(test_end_by_a_signal_of_its_own_is_an_error),
        TEST(test_interrupt_ends_the_child_and_is_told),
        TEST(test_interrupt_of_the_group_is_no_crash),
        TEST(test_closed_pipe_is_told_by_its_signal),
        TEST(test_signals_stay_blocked),
        TEST(test_child_does_not_outlive_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
