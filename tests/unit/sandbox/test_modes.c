/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a thread with CAP_FOWNER can no longer do with files of others, and what
 * it still can. Each case is a process of its own: the guard stays for good. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sandbox/modes.h"

#define SOMEBODY 65534
#define REFUSED 10

struct attempt {
    const char *name;
    int (*run)(int fd, const char *path);
    bool refused;
};

static int
make_readonly(int fd, const char *path)
{
    (void)path;
    return fchmod(fd, 0444);
}

static int
make_private(int fd, const char *path)
{
    (void)path;
    return fchmod(fd, 0640);
}

static int
make_group_writable(int fd, const char *path)
{
    (void)path;
    return fchmod(fd, 0664);
}

static int
make_writable(int fd, const char *path)
{
    (void)path;
    return fchmod(fd, 0666);
}

static int
make_setuid(int fd, const char *path)
{
    (void)path;
    return fchmod(fd, 04755);
}

/* The kernel looks at the low bits alone. */
static int
make_writable_unseen(int fd, const char *path)
{
    (void)path;
    return (int)syscall(SYS_fchmod, fd, 0xabcd0000000001b6);
}

static int
by_path(int fd, const char *path)
{
    (void)fd;
    return chmod(path, 0444);
}

static int
by_path_at(int fd, const char *path)
{
    (void)fd;
    return (int)syscall(SYS_fchmodat, AT_FDCWD, path, 0666);
}

/* A kernel without it says ENOSYS, which is no permission either. */
static int
by_path_at_2(int fd, const char *path)
{
    (void)fd;
    return (int)syscall(452, AT_FDCWD, path, 0666, 0);
}

/* A name of its own would be allowed to a file's owner. */
static int
by_attribute(int fd, const char *path)
{
    (void)path;
    return fsetxattr(fd, "system.posix_acl_access", "", 0, 0);
}

static const struct attempt attempts[] = {
    {"fchmod 0444", make_readonly, false},
    {"fchmod 0640", make_private, false},
    {"fchmod 0664", make_group_writable, true},
    {"fchmod 0666", make_writable, true},
    {"fchmod 04755", make_setuid, true},
    {"fchmod 0666 with high bits", make_writable_unseen, true},
    {"chmod", by_path, true},
    {"fchmodat", by_path_at, true},
    {"fchmodat2", by_path_at_2, true},
    {"fsetxattr", by_attribute, true},
};

/* Leave CAP_FOWNER, or nothing. */
static void
keep(bool fowner)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (fowner)
        data[0].effective = data[0].permitted = 1u << CAP_FOWNER;
    if (syscall(SYS_capset, &header, data) < 0)
        _exit(1);
}

/* 0, or the errno of an attempt on somebody else's file. */
static int
outcome(const struct attempt *attempt, const char *path, bool fowner)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(path, O_RDONLY);
        keep(fowner);
        if (modes_guard(NULL) < 0)
            _exit(2);
        errno = 0;
        _exit(attempt->run(fd, path) < 0 ? REFUSED + errno : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
make_file(char *path)
{
    strcpy(path, "/tmp/memctx-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(fchown(fd, SOMEBODY, SOMEBODY), 0);
    close(fd);
}

static void
test_modes_that_grant_are_refused(void **state)
{
    char path[32];
    (void)state;
#ifdef INSTRUMENTED
    skip();
#endif
    if (geteuid() != 0)
        skip();
    make_file(path);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(attempts); i++) {
        /* valgrind answers for calls that it does not know. */
        if (attempts[i].run == by_path_at_2 && is_under_valgrind())
            continue;
        int got = outcome(&attempts[i], path, true);
        if (got != (attempts[i].refused ? REFUSED + EPERM : 0))
            fail_msg("%s: %d", attempts[i].name, got);
    }
    unlink(path);
}

static int
has_filter(int fd, const char *path)
{
    (void)fd;
    (void)path;
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0 &&
                   prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0
               ? 0
               : -1;
}

static void
test_without_the_capability_nothing_changes(void **state)
{
    const struct attempt attempt = {"", has_filter, false};
    (void)state;
    assert_int_equal(outcome(&attempt, "/", false), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes_that_grant_are_refused),
        cmocka_unit_test(test_without_the_capability_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
