/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Agent and memctx find each other by the connection's URI alone. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "wire/rundir.h"

static int
set_up(void **state)
{
    (void)state;
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    setenv("HOME", "/home/u", 1);
    unsetenv("LIBVIRT_DEFAULT_URI");
    return 0;
}

static void
assert_dir(const char *uri, const char *wanted)
{
    char dir[256];
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(rundir_for_uri(uri, dir, sizeof(dir), &err), &err);
    assert_string_equal(dir, wanted);
}

static void
test_system_uris(void **state)
{
    (void)state;
    assert_dir("qemu:///system", "/run/memctxd");
    assert_dir("qemu+unix:///system?socket=/x", "/run/memctxd");
}

static void
test_session_uris(void **state)
{
    (void)state;
    assert_dir("qemu:///session", "/run/user/7/memctxd");
    assert_dir("qemu:///session?socket=/system", "/run/user/7/memctxd");
}

static void
test_no_uri_asks_the_environment_first(void **state)
{
    (void)state;
    setenv("LIBVIRT_DEFAULT_URI", "qemu:///session", 1);
    assert_dir(NULL, "/run/user/7/memctxd");
    setenv("LIBVIRT_DEFAULT_URI", "qemu:///system", 1);
    assert_dir("", "/run/memctxd");
}

static void
test_no_uri_at_all_goes_by_the_user(void **state)
{
    (void)state;
    assert_dir(NULL, getuid() == 0 ? "/run/memctxd" : "/run/user/7/memctxd");
}

static void
test_without_runtime_directory_the_cache_serves(void **state)
{
    (void)state;
    unsetenv("XDG_RUNTIME_DIR");
    assert_dir("qemu:///session", "/home/u/.cache/memctxd");
}

static void
test_nothing_set_is_an_error(void **state)
{
    (void)state;
    char dir[256];
    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("HOME");
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(rundir_for_uri("qemu:///session", dir, sizeof(dir), &err),
                     -1);
    assert_error(&err, MEMCTX_PERMANENT, "XDG_RUNTIME_DIR");
}

static void
test_too_small_a_buffer_is_an_error(void **state)
{
    (void)state;
    char dir[8];
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(rundir_for_uri("qemu:///session", dir, sizeof(dir), &err),
                     -1);
    assert_error(&err, MEMCTX_PERMANENT, "XDG_RUNTIME_DIR");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_system_uris, set_up),
        cmocka_unit_test_setup(test_session_uris, set_up),
        cmocka_unit_test_setup(test_no_uri_asks_the_environment_first, set_up),
        cmocka_unit_test_setup(test_no_uri_at_all_goes_by_the_user, set_up),
        cmocka_unit_test_setup(test_without_runtime_directory_the_cache_serves,
                               set_up),
        cmocka_unit_test_setup(test_nothing_set_is_an_error, set_up),
        cmocka_unit_test_setup(test_too_small_a_buffer_is_an_error, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
