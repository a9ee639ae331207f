/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* VMCOREINFO text, true and mangled. */
#include "unit.h"

#include "guest/linux/vmcoreinfo.h"

/* As a 6.1 kernel writes it, shortened. */
static const char real_text[] =
    "OSRELEASE=6.1.0-13-amd64\n"
    "BUILD-ID=b0d2a7c9e1f3450617283940a1b2c3d4e5f60718\n"
    "PAGESIZE=4096\n"
    "SYMBOL(init_uts_ns)=ffffffff9b21d1a0\n"
    "OFFSET(uts_namespace.name)=0\n"
    "SYMBOL(node_online_map)=ffffffff9b4f8f20\n"
    "SYMBOL(swapper_pg_dir)=ffffffff9b210000\n"
    "SYMBOL(_stext)=ffffffff99a00000\n"
    "SIZE(list_head)=16\n"
    "NUMBER(MAX_ORDER)=11\n"
    "NUMBER(phys_base)=-656408576\n"
    "SYMBOL(init_top_pgt)=ffffffff9b211000\n"
    "NUMBER(pgtable_l5_enabled)=0\n"
    "KERNELOFFSET=18a00000\n"
    "NUMBER(KERNEL_IMAGE_SIZE)=1073741824\n"
    "NUMBER(sme_mask)=0\n";

static struct memctx_vmcoreinfo
parse(const char *text)
{
    struct memctx_vmcoreinfo info;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_vmcoreinfo_parse(text, strlen(text), &info, &err), &err);
    return info;
}

static void
refuse(const char *text, const char *words)
{
    struct memctx_vmcoreinfo info = {.has = 77};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_int_equal(memctx_vmcoreinfo_parse(text, strlen(text), &info, &err),
                     -1);
    assert_error(&err, MEMCTX_RETRY, words);
    assert_int_equal(info.has, 77);
}

/* The value that `line` gives to `key`; a line that gives none fails. */
static uint64_t
value_of(const char *line, enum memctx_vmcoreinfo_key key)
{
    char text[256];
    snprintf(text, sizeof(text), "OSRELEASE=6.1\n%s\n", line);
    struct memctx_vmcoreinfo info = parse(text);
    assert_true(memctx_vmcoreinfo_has(&info, key));
    return info.value[key];
}

static void
refuse_line(const char *line)
{
    char text[256];
    snprintf(text, sizeof(text), "OSRELEASE=6.1\n%s\n", line);
    refuse(text, "is no number");
}

static void
test_real_text(void **state)
{
    (void)state;
    struct memctx_vmcoreinfo info = parse(real_text);
    const uint64_t *v = info.value;
    assert_string_equal(info.release, "6.1.0-13-amd64");
    assert_string_equal(info.build_id,
                        "b0d2a7c9e1f3450617283940a1b2c3d4e5f60718");
    assert_true(v[MEMCTX_VMCI_SWAPPER] == UINT64_C(0xffffffff9b210000));
    assert_true(v[MEMCTX_VMCI_STEXT] == UINT64_C(0xffffffff99a00000));
    assert_true(v[MEMCTX_VMCI_UTS] == UINT64_C(0xffffffff9b21d1a0));
    assert_true(v[MEMCTX_VMCI_PHYS_BASE] == (uint64_t)INT64_C(-656408576));
    assert_int_equal(v[MEMCTX_VMCI_KERNELOFFSET], 0x18a00000);
    assert_int_equal(v[MEMCTX_VMCI_PAGESIZE], 4096);
    assert_true(memctx_vmcoreinfo_has(&info, MEMCTX_VMCI_UTS_NAME));
    assert_true(memctx_vmcoreinfo_has(&info, MEMCTX_VMCI_L5));
    assert_false(memctx_vmcoreinfo_has(&info, MEMCTX_VMCI_CRASHTIME));
}

static void
test_panicked_kernel_has_a_crash_time(void **state)
{
    (void)state;
    assert_int_equal(value_of("CRASHTIME=1700000000", MEMCTX_VMCI_CRASHTIME),
                     1700000000);
}

static void
test_names_of_older_roots(void **state)
{
    (void)state;
    assert_int_equal(
        value_of("SYMBOL(init_level4_pgt)=1a", MEMCTX_VMCI_SWAPPER), 0x1a);
    assert_int_equal(value_of("SYMBOL(init_top_pgt)=1b", MEMCTX_VMCI_SWAPPER),
                     0x1b);
}

static void
test_first_of_a_key_counts(void **state)
{
    (void)state;
    assert_int_equal(value_of("SYMBOL(swapper_pg_dir)=1\n"
                              "SYMBOL(swapper_pg_dir)=2\n"
                              "SYMBOL(init_top_pgt)=zzz",
                              MEMCTX_VMCI_SWAPPER),
                     1);
    assert_string_equal(parse("OSRELEASE=a\nOSRELEASE=b\n").release, "a");
}

static void
test_numbers_in_each_format(void **state)
{
    (void)state;
    const enum memctx_vmcoreinfo_key base = MEMCTX_VMCI_PHYS_BASE;
    assert_true(value_of("NUMBER(phys_base)=9223372036854775807", base) ==
                INT64_MAX);
    assert_true(value_of("NUMBER(phys_base)=-9223372036854775807", base) ==
                (uint64_t)-INT64_MAX);
    assert_int_equal(value_of("NUMBER(phys_base)=-0", base), 0);
    assert_int_equal(value_of("NUMBER(phys_base)=0x1fF", base), 0x1ff);
    assert_true(value_of("NUMBER(PHYS_OFFSET)=0xfffffffe40000000",
                         MEMCTX_VMCI_PHYS_OFFSET) ==
                UINT64_C(0xfffffffe40000000));
    assert_true(value_of("SYMBOL(_stext)=ffffffffffffffff",
                         MEMCTX_VMCI_STEXT) == UINT64_MAX);
    assert_int_equal(value_of("PAGESIZE=010", MEMCTX_VMCI_PAGESIZE), 10);
}

static void
test_values_that_are_no_numbers(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "SYMBOL(_stext)=",
        "SYMBOL(_stext)= 1",
        "SYMBOL(_stext)=1 ",
        "SYMBOL(_stext)=1\r",
        "SYMBOL(_stext)=-1",
        "SYMBOL(_stext)=0x1",
        "SYMBOL(_stext)=fffg",
        "SYMBOL(_stext)=10000000000000000",
        "SYMBOL(_stext)=1=2",
        "PAGESIZE=4096k",
        "PAGESIZE=18446744073709551616",
        "PAGESIZE=+1",
        "NUMBER(phys_base)=-",
        "NUMBER(phys_base)=--1",
        "NUMBER(phys_base)=0x",
        "NUMBER(phys_base)=-0x1",
        "NUMBER(phys_base)=1a",
        "NUMBER(phys_base)=9223372036854775808",
        "NUMBER(pgtable_l5_enabled)=yes",
        "KERNELOFFSET=%lx",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        refuse_line(lines[i]);
}

static void
test_lines_that_mean_nothing_are_passed_over(void **state)
{
    (void)state;
    struct memctx_vmcoreinfo info = parse("OSRELEASE=6.1\n"
                                          "\n"
                                          "=\n"
                                          "no equals sign\n"
                                          "SYMBOL(_stext) =1\n"
                                          " SYMBOL(_stext)=1\n"
                                          "SYMBOL(_stext=1\n"
                                          "SYMBOL(_stext)x=1\n"
                                          "symbol(_stext)=1\n"
                                          "\xff\xfe=\x01\n");
    assert_int_equal(info.has, 0);
}

/* The kernel is still writing it. */
static void
test_last_line_without_newline_is_passed_over(void **state)
{
    (void)state;
    struct memctx_vmcoreinfo info =
        parse("OSRELEASE=6.1\nSYMBOL(_stext)=ffffffff");
    assert_int_equal(info.has, 0);
    refuse("OSRELEASE=6.1", "no whole line");
    refuse("", "no whole line");
}

static void
test_text_ends_at_a_nul(void **state)
{
    (void)state;
    static const char text[] = "OSRELEASE=6.1\nPAGESIZE=4096\n\0"
                               "SYMBOL(_stext)=1\n";
    struct memctx_vmcoreinfo info;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_vmcoreinfo_parse(text, sizeof(text), &info, &err), &err);
    assert_int_equal(info.has, 1 << MEMCTX_VMCI_PAGESIZE);
}

static void
test_first_line_is_no_release(void **state)
{
    (void)state;
    refuse("PAGESIZE=4096\nOSRELEASE=6.1\n", "first line is no OSRELEASE");
    refuse("\nOSRELEASE=6.1\n", "first line is no OSRELEASE");
    refuse("XOSRELEASE=6.1\n", "first line is no OSRELEASE");
}

static void
test_release_that_is_no_name(void **state)
{
    (void)state;
    char text[128] = "OSRELEASE=";
    refuse("OSRELEASE=\n", "no release name");
    refuse("OSRELEASE=6.1 (evil)\n", "no release name");
    refuse("OSRELEASE=6.1\x1b\n", "no release name");
    refuse("OSRELEASE=6.1\xc3\xa4\n", "no release name");
    memset(text + 10, '6', 65);
    strcpy(text + 75, "\n");
    refuse(text, "no release name");
    strcpy(text + 74, "\n");
    assert_int_equal(strlen(parse(text).release), 64);
}

/* Some stable kernels print it cut short: the kernel counts, not its ID. */
static void
test_build_id_that_is_none(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "BUILD-ID=",
        "BUILD-ID=b0d2a7c9e1f345",
        "BUILD-ID=b0d2a7c9e1f34506172",
        "BUILD-ID=B0D2A7C9E1F34506",
        "BUILD-ID=b0d2a7c9e1f3450g",
        ("BUILD-ID=00112233445566778899aabbccddeeff"
         "00112233445566778899aabbccddeeff00"),
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "OSRELEASE=6.1\n%s\n", lines[i]);
        assert_string_equal(parse(text).build_id, "");
    }
}

static void
test_text_longer_than_sane(void **state)
{
    (void)state;
    size_t len = MEMCTX_VMCOREINFO_MAX + 1;
    char *text = test_malloc(len);
    struct memctx_vmcoreinfo info;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    memset(text, '\n', len);
    memcpy(text, "OSRELEASE=6.1\n", 14);
    assert_int_equal(memctx_vmcoreinfo_parse(text, len, &info, &err), -1);
    assert_error(&err, MEMCTX_RETRY, "65537 bytes");
    assert_done(memctx_vmcoreinfo_parse(text, len - 1, &info, &err), &err);
    test_free(text);
}

/* Whatever is cut off: no byte behind the end is looked at. */
static void
test_text_cut_anywhere(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(real_text); len++) {
        /* From the heap, so that ASan and valgrind see the end. */
        char *text = test_malloc(len + 1);
        struct memctx_vmcoreinfo info;
        memcpy(text, real_text, len);
        (void)memctx_vmcoreinfo_parse(text, len, &info, NULL);
        test_free(text);
    }
}

static void
test_note_header(void **state)
{
    (void)state;
    static const unsigned char good[24] = "\x0b\0\0\0\x34\x12\0\0\0\0\0\0"
                                          "VMCOREINFO\0";
    unsigned char bytes[24];
    size_t len = 77;
    assert_true(memctx_vmcoreinfo_is_note(good, &len));
    assert_int_equal(len, 0x1234);
    /* Each byte counts, but for those of the length. */
    for (size_t i = 0; i < sizeof(good); i++) {
        if (i >= 4 && i < 8)
            continue;
        memcpy(bytes, good, sizeof(bytes));
        bytes[i] ^= 0x20;
        assert_false(memctx_vmcoreinfo_is_note(bytes, &len));
    }
    assert_int_equal(len, 0x1234);
}

static void
test_note_header_with_a_length_out_of_reason(void **state)
{
    (void)state;
    unsigned char bytes[24] = "\x0b\0\0\0\0\0\0\0\0\0\0\0VMCOREINFO\0";
    size_t len = 77;
    assert_false(memctx_vmcoreinfo_is_note(bytes, &len));
    bytes[6] = 1;
    assert_true(memctx_vmcoreinfo_is_note(bytes, &len));
    assert_int_equal(len, MEMCTX_VMCOREINFO_MAX);
    bytes[4] = 1;
    assert_false(memctx_vmcoreinfo_is_note(bytes, &len));
    bytes[7] = 0xff;
    assert_false(memctx_vmcoreinfo_is_note(bytes, &len));
}

static void
test_bare_text_header(void **state)
{
    (void)state;
    assert_true(memctx_vmcoreinfo_is_text((const unsigned char *)real_text));
    assert_false(
        memctx_vmcoreinfo_is_text((const unsigned char *)"OSRELEASE:"));
}

static void
test_any_key_is_found(void **state)
{
    (void)state;
    static const char text[] = "OSRELEASE=6.1.0\n"
                               "SYMBOL(prb)=ffffffff83000010\n"
                               "SIZE(prb_desc)=24\n"
                               "NUMBER(a)=-5\n"
                               "OFFSET(b)=0x18\n"
                               "OFFSET(c)=x\n"
                               "OFFSET(prb_desc.begin)=8";
    uint64_t number = 77;
    size_t len = strlen(text);
    assert_true(memctx_vmcoreinfo_find(text, len, "SYMBOL(prb)", &number));
    assert_true(number == UINT64_C(0xffffffff83000010));
    assert_true(memctx_vmcoreinfo_find(text, len, "SIZE(prb_desc)", &number));
    assert_int_equal(number, 24);
    assert_true(memctx_vmcoreinfo_find(text, len, "NUMBER(a)", &number));
    assert_true(number == (uint64_t)-5);
    assert_true(memctx_vmcoreinfo_find(text, len, "OFFSET(b)", &number));
    assert_int_equal(number, 24);
    /* No number, no such key, no whole line, no whole text. */
    assert_false(memctx_vmcoreinfo_find(text, len, "OFFSET(c)", &number));
    assert_false(memctx_vmcoreinfo_find(text, len, "SIZE(prb", &number));
    assert_false(
        memctx_vmcoreinfo_find(text, len, "OFFSET(prb_desc.begin)", &number));
    assert_false(memctx_vmcoreinfo_find(text, 20, "SYMBOL(prb)", &number));
    assert_int_equal(number, 24);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_real_text),
        T(test_panicked_kernel_has_a_crash_time),
        T(test_names_of_older_roots),
        T(test_first_of_a_key_counts),
        T(test_numbers_in_each_format),
        T(test_values_that_are_no_numbers),
        T(test_lines_that_mean_nothing_are_passed_over),
        T(test_last_line_without_newline_is_passed_over),
        T(test_text_ends_at_a_nul),
        T(test_first_line_is_no_release),
        T(test_release_that_is_no_name),
        T(test_build_id_that_is_none),
        T(test_text_longer_than_sane),
        T(test_text_cut_anywhere),
        T(test_note_header),
        T(test_note_header_with_a_length_out_of_reason),
        T(test_bare_text_header),
        T(test_any_key_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
