/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lines of /proc/PID/maps, and what only resembles them. */
#include "unit.h"

#include "ram/procmaps.h"

static struct memctx_mapping
parse(const char *line)
{
    struct memctx_mapping mapping;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_procmaps_parse(line, &mapping, &err), &err);
    return mapping;
}

static void
refuse(const char *line)
{
    struct memctx_mapping mapping = {.start = 77};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    print_message("refused: '%.70s'\n", line);
    assert_int_equal(memctx_procmaps_parse(line, &mapping, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "not a line of /proc/PID/maps");
    assert_int_equal(mapping.start, 77);
}

static void
test_shared_memfd(void **state)
{
    (void)state;
    struct memctx_mapping m =
        parse("7f2c5fe00000-7f2ce0000000 rw-s 00200000 00:01 12345678"
              "                   /memfd:memory-backend-memfd (deleted)\n");
    assert_true(m.start == UINT64_C(0x7f2c5fe00000));
    assert_true(m.end == UINT64_C(0x7f2ce0000000));
    assert_int_equal(m.offset, 0x200000);
    assert_true(m.shared);
    assert_true(m.writable);
    assert_int_equal(m.major, 0);
    assert_int_equal(m.minor, 1);
    assert_int_equal(m.inode, 12345678);
}

static void
test_anonymous_memory(void **state)
{
    (void)state;
    struct memctx_mapping m = parse("00400000-00452000 r--p 00000000 00:00 0 ");
    assert_false(m.shared);
    assert_false(m.writable);
    assert_int_equal(m.inode, 0);
    assert_int_equal(parse("1-2 ---p 0 0:0 0").end, 2);
}

static void
test_device_numbers_are_hexadecimal(void **state)
{
    (void)state;
    struct memctx_mapping m =
        parse("08048000-08056000 r-xp 00000000 fd:1a 64 /usr/bin/x y\n");
    assert_int_equal(m.major, 0xfd);
    assert_int_equal(m.minor, 0x1a);
    assert_int_equal(m.inode, 64);
}

static void
test_highest_mapping(void **state)
{
    (void)state;
    struct memctx_mapping m = parse("ffffffffff600000-ffffffffffffffff --xp "
                                    "ffffffffffffffff ffffffff:ffffffff "
                                    "18446744073709551615 [vsyscall]\n");
    assert_true(m.end == UINT64_MAX);
    assert_true(m.offset == UINT64_MAX);
    assert_true(m.inode == UINT64_MAX);
    assert_true(m.major == UINT32_MAX);
}

static void
test_lines_that_are_none(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "\n",
        "1000",
        "1000-",
        "1000-2000",
        "1000-2000 ",
        "1000-2000 rw-p",
        "1000-2000 rw-p ",
        "1000-2000 rw-p 0",
        "1000-2000 rw-p 0 00:",
        "1000-2000 rw-p 0 00:00",
        "1000-2000 rw-p 0 00:00 ",
        "1000-2000 rw-p 0 00:00 x",
        "1000-2000 rw-p 0 00:00 0x10",
        "1000-2000 rw-p 0 00:00 -1",
        "1000-2000 rw-p 0 00-00 0",
        "1000-2000 rw-p 0 100000000:00 0",
        "1000-2000 rw-p 0 00:00 18446744073709551616",
        "1000-2000 rw-x 0 00:00 0",
        "1000-2000 r w-p 0 00:00 0",
        "1000-2000 rw-p0 00:00 0",
        "1000-2000  rw-p 0 00:00 0",
        " 1000-2000 rw-p 0 00:00 0",
        "-1000-2000 rw-p 0 00:00 0",
        "1000 2000 rw-p 0 00:00 0",
        "10000000000000000-2 rw-p 0 00:00 0",
        "1000-g rw-p 0 00:00 0",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        refuse(lines[i]);
}

static void
test_range_that_is_empty_or_backwards(void **state)
{
    (void)state;
    refuse("1000-1000 rw-p 0 00:00 0");
    refuse("2000-1000 rw-p 0 00:00 0");
}

/* The kernel prints no 0x. */
static void
test_numbers_with_a_prefix(void **state)
{
    (void)state;
    refuse("0x1000-2000 rw-p 0 00:00 0");
    refuse("1000-2000 rw-p 0x0 00:00 0");
}

static void
test_rights_that_are_none(void **state)
{
    (void)state;
    refuse("1000-2000 Rw-p 0 00:00 0");
    refuse("1000-2000 rWxp 0 00:00 0");
    refuse("1000-2000 rw?p 0 00:00 0");
    refuse("1000-2000 rw-P 0 00:00 0");
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_shared_memfd),
        T(test_anonymous_memory),
        T(test_device_numbers_are_hexadecimal),
        T(test_highest_mapping),
        T(test_lines_that_are_none),
        T(test_range_that_is_empty_or_backwards),
        T(test_numbers_with_a_prefix),
        T(test_rights_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
