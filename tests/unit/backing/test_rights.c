/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What an administrator is told to change, for each lack of rights. */
#include "unit.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "backing/rights.h"

#define CAP(n) (UINT64_C(1) << (n))

static void
test_cures(void **state)
{
    (void)state;
    static const struct {
        struct rights rights;
        bool own_memory;
        const char *words;
    } rows[] = {
        {{1000, 1000, 0, 64055, 64055, false, 0, false, ""},
         false,
         "user and group (64055:64055)"},
        {{64055, 107, 0, 64055, 64055, false, 0, false, ""},
         false,
         "QEMU's group, gid 64055"},
        {{64055, 64055, 0, 64055, 64055, false, 1, false, ""},
         true,
         "ptrace_scope to 0"},
        {{64055, 64055, 0, 64055, 64055, false, 1, false, ""},
         true,
         "<source type='memfd'/>"},
        {{1000, 1000, CAP(CAP_SYS_PTRACE), 64055, 64055, false, 0, false, ""},
         true,
         "add CAP_DAC_READ_SEARCH to CAP_SYS_PTRACE"},
        {{1000, 1000, CAP(CAP_DAC_READ_SEARCH), 64055, 64055, false, 0, false,
          ""},
         true,
         "add CAP_SYS_PTRACE to"},
        {{0, 0, ~CAP(CAP_SYS_PTRACE), 64055, 64055, false, 0, false, ""},
         false,
         "add CAP_SYS_PTRACE to"},
        {{0, 0, ~UINT64_C(0), 64055, 64055, false, 0, false, ""},
         true,
         "security module"},
        {{0, 0, CAP(CAP_SYS_PTRACE), 64055, 64055, false, 0, false, ""},
         false,
         "add CAP_DAC_READ_SEARCH"},
        {{64055, 64055, 0, 64055, 64055, false, 0, false, ""},
         false,
         "capabilities that memctxd lacks"},
        {{64055, 64055, 0, 64055, 64055, true, 1, false, ""},
         false,
         "chmod a+r"},
        {{64055, 64055, 0, 64055, 64055, true, 0, false, ""},
         true,
         "not dumpable"},
        {{64055, 64055, CAP(CAP_SYS_PTRACE), 64055, 64055, true, 0, false, ""},
         false,
         "add CAP_DAC_READ_SEARCH"},
        {{1000, 1000, 0, 64055, 64055, true, 0, false, ""},
         true,
         "with CAP_SYS_PTRACE"},
        {{0, 0, ~UINT64_C(0), 64055, 64055, false, 0, true, ""},
         false,
         "deny_ptrace off"},
        {{0, 0, ~UINT64_C(0), 64055, 64055, false, 0, false, "memctxd"},
         false,
         "peer=memctxd,"},
        {{0, 0, ~UINT64_C(0), 64055, 64055, false, 3, false, ""},
         true,
         "ptrace_scope is 3"},
        {{0, 0, ~UINT64_C(0), 64055, 64055, false, 3, false, ""},
         false,
         "security module"},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        char cure[200];
        rights_cure(&rows[i].rights, rows[i].own_memory, cure, sizeof(cure));
        if (strstr(cure, rows[i].words) == NULL)
            fail_msg("row %zu: '%s', wanted '%s'", i, cure, rows[i].words);
        /* Whole, also behind "no right to open ..." */
        assert_in_range(strlen(cure), 1, 190);
    }
}

static void
test_looking_at_ourselves(void **state)
{
    (void)state;
    struct process process = {.procfd = open("/proc/self", O_RDONLY)};
    struct rights rights;
    rights_look(&process, &rights);
    assert_int_equal(rights.uid, geteuid());
    assert_int_equal(rights.gid, getegid());
    assert_int_equal(rights.qemu_uid, geteuid());
    assert_int_equal(rights.qemu_gid, getegid());
    assert_false(rights.undumpable);
    close(process.procfd);
}

/* A process of another user than root, for root's files are root's anyway. It
 * is not dumpable as one whose program's file cannot be read is not. */
static void
test_looking_at_one_that_is_not_dumpable(void **state)
{
    (void)state;
    int ready[2];
    char path[32];
    char byte;
    struct rights rights;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if ((geteuid() == 0 && setuid(1000) < 0) ||
            prctl(PR_SET_DUMPABLE, 0) < 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d", (int)child);
    struct process process = {.procfd = open(path, O_RDONLY)};
    rights_look(&process, &rights);
    assert_true(rights.undumpable);
    assert_int_equal(rights.qemu_uid, geteuid() == 0 ? 1000 : geteuid());
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(process.procfd);
    close(ready[0]);
    close(ready[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cures),
        cmocka_unit_test(test_looking_at_ourselves),
        cmocka_unit_test(test_looking_at_one_that_is_not_dumpable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
