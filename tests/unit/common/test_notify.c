/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Words to a service manager that is a socket of the test's. */
#include "unit.h"

#include <errno.h>
#include <stddef.h>

#include "common/notify.h"
#include "datagrams.h"

static void
set_environment(const char *socket_name, const char *usec, const char *pid)
{
    const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC",
                                 "WATCHDOG_PID"};
    const char *const values[] = {socket_name, usec, pid};
    for (size_t i = 0; i < 3; i++) {
        if (values[i] != NULL)
            setenv(names[i], values[i], 1);
        else
            unsetenv(names[i]);
    }
}

static void
test_words_arrive_in_one_datagram(void **state)
{
    (void)state;
    struct datagrams manager;
    struct notify n;
    datagrams_init(&manager);
    set_environment(manager.path, NULL, NULL);
    notify_init(&n);
    assert_int_equal(notify_send(&n, "READY=1\nSTATUS=%d domains", 3), 0);
    assert_true(datagrams_take(&manager));
    assert_string_equal(manager.last, "READY=1\nSTATUS=3 domains");
    assert_false(datagrams_take(&manager));
    assert_int_equal(n.watchdog_us, 0);
    notify_deinit(&n);
    datagrams_deinit(&manager);
}

/* A container's manager may have such a one. */
static void
test_abstract_name(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[32];
    char got[16] = "";
    struct notify n;
    int len = snprintf(name, sizeof(name), "@memctx-test-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
        0);
    set_environment(name, NULL, NULL);
    notify_init(&n);
    assert_int_equal(notify_send(&n, "READY=1"), 0);
    assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
    assert_string_equal(got, "READY=1");
    notify_deinit(&n);
    close(fd);
}

/* Without a manager, or with a name that cannot be one, all is as done. */
static void
test_nobody_to_tell(void **state)
{
    (void)state;
    char too_long[200];
    memset(too_long, 'x', sizeof(too_long));
    too_long[0] = '/';
    too_long[sizeof(too_long) - 1] = '\0';
    const char *const names[] = {NULL, "", "@", "relative", too_long};
    for (size_t i = 0; i < 5; i++) {
        struct notify n;
        set_environment(names[i], "1000000", NULL);
        notify_init(&n);
        assert_int_equal(n.fd, -1);
        assert_int_equal(n.watchdog_us, 0);
        assert_int_equal(notify_send(&n, "READY=1"), 0);
        notify_deinit(&n);
    }
}

/* What a hook, or a daemon that libvirt starts, would say is not for us. */
static void
test_children_inherit_nothing(void **state)
{
    (void)state;
    struct notify n;
    set_environment("/nowhere", "1000000", "1");
    notify_init(&n);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
    notify_deinit(&n);
}

static uint64_t
watchdog_of(const char *usec, const char *pid)
{
    struct notify n;
    set_environment("/nowhere", usec, pid);
    notify_init(&n);
    notify_deinit(&n);
    return n.watchdog_us;
}

static void
test_watchdog_is_for_one_process(void **state)
{
    (void)state;
    char own[16];
    snprintf(own, sizeof(own), "%d", (int)getpid());
    assert_int_equal(watchdog_of("30000000", own), 30000000);
    assert_int_equal(watchdog_of("30000000", NULL), 30000000);
    assert_int_equal(watchdog_of("30000000", "1"), 0);
    assert_int_equal(watchdog_of("30000000", "me"), 0);
    assert_int_equal(watchdog_of("-1", own), 0);
    assert_int_equal(watchdog_of("99999999999999999999", own), 0);
    assert_int_equal(watchdog_of(NULL, own), 0);
}

/* A manager that does not listen for a while holds nobody up. */
static void
test_full_socket_does_not_wait(void **state)
{
    (void)state;
    struct datagrams manager;
    struct notify n;
    unsigned sent = 0;
    datagrams_init(&manager);
    set_environment(manager.path, NULL, NULL);
    notify_init(&n);
    while (sent < 100000 && notify_send(&n, "STATUS=%u", sent) == 0)
        sent++;
    assert_true(sent > 0 && sent < 100000);
    assert_true(datagrams_take(&manager));
    assert_int_equal(notify_send(&n, "STATUS=again"), 0);
    notify_deinit(&n);
    datagrams_deinit(&manager);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_arrive_in_one_datagram),
        cmocka_unit_test(test_abstract_name),
        cmocka_unit_test(test_nobody_to_tell),
        cmocka_unit_test(test_children_inherit_nothing),
        cmocka_unit_test(test_watchdog_is_for_one_process),
        cmocka_unit_test(test_full_socket_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
