/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* QEMU's option syntax, in both spellings. */
#include "unit.h"

#include "base/bytes.h"
#include "qemu/opt.h"

static void
expect(const char *text, const char *key, const char *value)
{
    char found[64];
    struct memctx_qemuopt *opt = memctx_qemuopt_open(text);
    assert_non_null(opt);
    bool there = memctx_qemuopt_get(opt, key, found, sizeof(found));
    if (there != (value != NULL) ||
        strcmp(found, value != NULL ? value : "") != 0)
        fail_msg("%s of %s is '%s'", key, text, found);
    memctx_qemuopt_close(opt);
}

static void
test_words_and_keys(void **state)
{
    (void)state;
    expect("pc-dimm,id=a,memdev=b", "", "pc-dimm");
    expect("pc-dimm,id=a,memdev=b", "memdev", "b");
    expect("pc-dimm,id=a,memdev=b", "mem", NULL);
    expect("id=a,id=b", "id", "b");
    expect("id=a", "", NULL);
    expect("", "", NULL);
    expect("x,id=a,,b,c", "id", "a,b");
    expect("x,id=", "id", "");
    expect("x,size=1,id=0123456789012345678901234567890123456789012345678901"
           "2345678901234",
           "id", NULL);
}

static void
test_json(void **state)
{
    (void)state;
    static const char text[] =
        "{\"driver\":\"nvdimm\",\"size\":7,\"share\":true,\"list\":[1],"
        "\"none\":null,\"object\":{}}";
    expect(text, "driver", "nvdimm");
    expect(text, "size", "7");
    expect(text, "share", "true");
    expect(text, "list", NULL);
    expect(text, "none", NULL);
    expect(text, "object", NULL);
    expect(text, "", NULL);
    assert_null(memctx_qemuopt_open("{"));
    assert_null(memctx_qemuopt_open("{\"a\":"));
    memctx_qemuopt_close(NULL);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_words_and_keys),
        T(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
