/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Files that others could have written. */
#include "unit.h"

#include <sys/stat.h>

#include "common/trust.h"

static struct stat
owned(uid_t uid, mode_t mode)
{
    return (struct stat){.st_uid = uid, .st_mode = S_IFDIR | mode};
}

static void
test_group_and_others_may_not_write(void **state)
{
    (void)state;
    static const mode_t modes[] = {0775, 0777, 01777, 0720, 0702};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct stat st = owned(geteuid(), 0755);
    assert_done(trust_check(&st, TRUST_OURS, "/d", &err), &err);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        st = owned(geteuid(), modes[i]);
        assert_int_equal(trust_check(&st, TRUST_OURS, "/d", &err), -1);
        assert_error(&err, MEMCTX_PERMANENT, "can write it; chmod go-w /d");
    }
    st = owned(geteuid(), 0775);
    trust_check(&st, TRUST_OURS, "/d", &err);
    assert_error(&err, MEMCTX_PERMANENT, "mode 0775: its group");
    st = owned(geteuid(), 0757);
    trust_check(&st, TRUST_OURS, "/d", &err);
    assert_error(&err, MEMCTX_PERMANENT, "mode 0757: everybody");
}

static void
test_others_may_not_own(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct stat st = owned(geteuid() + 1, 0755);
    assert_int_equal(trust_check(&st, TRUST_OURS, "/d", &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "/d belongs to uid");
    assert_int_equal(trust_check(&st, TRUST_OURS_OR_ROOTS, "/d", &err), -1);
    st = owned(0, 0755);
    assert_done(trust_check(&st, TRUST_OURS_OR_ROOTS, "/d", &err), &err);
    assert_int_equal(trust_check(&st, TRUST_OURS, "/d", &err),
                     geteuid() == 0 ? 0 : -1);
}

static void
test_link_of_another_user(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char dir[] = "/tmp/memctx-test-XXXXXX";
    char link[64];
    assert_non_null(mkdtemp(dir));
    snprintf(link, sizeof(link), "%s/link", dir);
    assert_int_equal(symlink("/dev/null", link), 0);
    assert_done(trust_check_link(link, &err), &err);
    if (lchown(link, 12345, 12345) == 0) { /* root only */
        assert_int_equal(trust_check_link(link, &err), -1);
        assert_error(&err, MEMCTX_PERMANENT, "belongs to uid 12345");
    }
    unlink(link);
    assert_done(trust_check_link(link, &err), &err);
    rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group_and_others_may_not_write),
        cmocka_unit_test(test_others_may_not_own),
        cmocka_unit_test(test_link_of_another_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
