/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
#include "unit.h"

#include "base/bytes.h"
#include "wire/uri.h"

static int
set_up(void **state)
{
    (void)state;
    unsetenv("LIBVIRT_DEFAULT_URI");
    return 0;
}

static void
test_local_uris(void **state)
{
    static const struct {
        const char *text;
        const char *driver;
        enum uri_scope scope;
    } rows[] = {
        {NULL, "", URI_DEFAULT},
        {"", "", URI_DEFAULT},
        {"qemu:///system", "qemu", URI_SYSTEM},
        {"qemu:///session", "qemu", URI_SESSION},
        {"QEMU+UNIX:///session", "qemu", URI_SESSION},
        {"qemu+unix:///system", "qemu", URI_SYSTEM},
        {"qemu+unix:///session?socket=/run/flatpak/libvirt-sock", "qemu",
         URI_SESSION},
        {"qemu:///system?socket=/x&mode=direct", "qemu", URI_SYSTEM},
        {"qemu:///system?no_verify=1#there", "qemu", URI_SYSTEM},
        {"qemu:///system/", "qemu", URI_OTHER},
        {"qemu:///systems", "qemu", URI_OTHER},
        {"test:///default", "test", URI_OTHER},
        {"test:///tmp/session/node.xml", "test", URI_OTHER},
        {"test+unix:///default", "test", URI_OTHER},
        {"xen:///system", "xen", URI_SYSTEM},
        {"vbox:///session", "vbox", URI_SESSION},
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct uri uri;
        struct memctx_error err = MEMCTX_ERROR_INIT;
        assert_done(uri_parse(rows[i].text, &uri, &err), &err);
        assert_string_equal(uri.driver, rows[i].driver);
        assert_int_equal(uri.scope, rows[i].scope);
    }
}

static void
test_uris_of_other_hosts(void **state)
{
    static const char *const rows[] = {
        "qemu+ssh://other/system",
        "qemu+ssh:///system",
        "qemu+ssh://root@other:22/system?keyfile=/session",
        "qemu+libssh2://other/session",
        "qemu+tcp://[::1]/system",
        "qemu+tls://other/system",
        "qemu+ext:///system?command=/bin/nc",
        "qemu+SSH://other/system",
        "qemu://other/system",
        "qemu://localhost/session",
        "qemu+unix://other/system",
        "test://other/default",
        "qemu+new:///system",
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct uri uri;
        struct memctx_error err = MEMCTX_ERROR_INIT;
        assert_int_equal(uri_parse(rows[i], &uri, &err), -1);
        assert_error(&err, MEMCTX_PERMANENT, "is of another host");
        /* As others set it for all programs. */
        setenv("LIBVIRT_DEFAULT_URI", rows[i], 1);
        assert_int_equal(uri_parse(NULL, &uri, &err), -1);
        assert_int_equal(uri_parse("", &uri, &err), -1);
        assert_done(uri_parse("qemu:///system", &uri, &err), &err);
        unsetenv("LIBVIRT_DEFAULT_URI");
    }
}

static void
test_what_is_no_uri(void **state)
{
    static const char *const rows[] = {
        "hail",
        "qemu:/system",
        "qemu",
        "://system",
        "///system",
        "system",
        "qemu:///sys tem",
        "qemu:///%zz",
        "averyveryverylongdriver:///system",
        "qemu:///embed",
        "qemu:///embed?root=",
        "qemu:///embed?root=relative",
        "qemu:///embed?noroot=/x",
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct uri uri = {.driver = "untouched"};
        struct memctx_error err = MEMCTX_ERROR_INIT;
        assert_int_equal(uri_parse(rows[i], &uri, &err), -1);
        assert_int_equal(err.kind, MEMCTX_PERMANENT);
        assert_string_equal(uri.driver, "untouched");
    }
}

static void
test_embedded_driver(void **state)
{
    static const char *const rows[] = {
        "qemu:///embed?root=/a%20b",
        "qemu:///embed?other=root&root=/a b",
        "qemu:///embed?x;root=/a%20b;root=/c",
    };
    (void)state;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        struct uri uri;
        struct memctx_error err = MEMCTX_ERROR_INIT;
        if (uri_parse(rows[i], &uri, &err) < 0 && strchr(rows[i], ' ') != NULL)
            continue; /* a blank is none of a URI */
        assert_int_equal(uri.scope, URI_EMBED);
        assert_string_equal(uri.root, "/a b");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_local_uris, set_up),
        cmocka_unit_test_setup(test_uris_of_other_hosts, set_up),
        cmocka_unit_test_setup(test_what_is_no_uri, set_up),
        cmocka_unit_test_setup(test_embedded_driver, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
