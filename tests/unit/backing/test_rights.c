/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What an administrator is told to change, for each lack of rights. */
#include "unit.h"

#include <fcntl.h>
#include <linux/capability.h>
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
        {{1000, 1000, 0, 64055, 64055, 0},
         false,
         "user and group (64055:64055)"},
        {{64055, 107, 0, 64055, 64055, 0}, false, "QEMU's group, gid 64055"},
        {{64055, 64055, 0, 64055, 64055, 1}, true, "ptrace_scope to 0"},
        {{64055, 64055, 0, 64055, 64055, 1}, true, "<source type='memfd'/>"},
        {{1000, 1000, CAP(CAP_SYS_PTRACE), 64055, 64055, 0},
         true,
         "add CAP_DAC_READ_SEARCH to CAP_SYS_PTRACE"},
        {{1000, 1000, CAP(CAP_DAC_READ_SEARCH), 64055, 64055, 0},
         true,
         "add CAP_SYS_PTRACE to"},
        {{0, 0, ~CAP(CAP_SYS_PTRACE), 64055, 64055, 0},
         false,
         "add CAP_SYS_PTRACE to"},
        {{0, 0, ~UINT64_C(0), 64055, 64055, 0}, true, "security module"},
        {{0, 0, CAP(CAP_SYS_PTRACE), 64055, 64055, 0},
         false,
         "add CAP_DAC_READ_SEARCH"},
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
    close(process.procfd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cures),
        cmocka_unit_test(test_looking_at_ourselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
