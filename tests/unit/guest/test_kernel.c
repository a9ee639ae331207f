/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a kernel is, and which systems there are. */
#include "unit.h"

#include "base/bytes.h"
#include "guest/kernel.h"
#include "search/guests.h"

static const struct memctx_kernel sample = {
    .os = MEMCTX_OS_LINUX,
    .paging = MEMCTX_PAGING_X86_64_4LEVEL,
    .kcr3 = 0x6800000,
    .version = "6.1.0-13-amd64",
    .base_gva = UINT64_C(0xffffffff99a00000),
    .found = "vmcoreinfo-note",
};

static void
test_every_system_has_a_name_and_ops(void **state)
{
    (void)state;
    assert_string_equal(memctx_os_name(MEMCTX_OS_LINUX), "linux");
    assert_string_equal(memctx_os_name(MEMCTX_OS_WINDOWS), "windows");
    for (enum memctx_os os = MEMCTX_OS_UNKNOWN + 1; os < MEMCTX_OSES; os++) {
        assert_int_equal(memctx_os_from_name(memctx_os_name(os)), os);
        assert_non_null(memctx_guests[os]);
    }
}

static void
test_unknown_system(void **state)
{
    (void)state;
    assert_null(memctx_os_name(MEMCTX_OS_UNKNOWN));
    assert_null(memctx_os_name(MEMCTX_OSES));
    assert_null(memctx_guests[MEMCTX_OS_UNKNOWN]);
    assert_int_equal(memctx_os_from_name(""), MEMCTX_OS_UNKNOWN);
    assert_int_equal(memctx_os_from_name("linux2"), MEMCTX_OS_UNKNOWN);
    assert_int_equal(memctx_os_from_name("Linux"), MEMCTX_OS_UNKNOWN);
}

static void
assert_words(const struct memctx_kernel *a, const struct memctx_kernel *b,
             bool same)
{
    char wa[MEMCTX_KERNEL_WORDS_MAX];
    char wb[MEMCTX_KERNEL_WORDS_MAX];
    memctx_kernel_words(a, wa);
    memctx_kernel_words(b, wb);
    assert_int_equal(memctx_kernel_is_same(a, b), same);
    assert_int_equal(strcmp(wa, wb) == 0, same);
    assert_null(strchr(wa, '\n'));
}

/* The words are what an agent leaves to the next one; they must not be less
 * strict than the comparison of kernels. */
static void
test_words_of_kernels(void **state)
{
    struct memctx_kernel b = sample;
    (void)state;
    strcpy(b.found, "other");
    assert_words(&sample, &b, true);
    b = sample;
    b.os = MEMCTX_OS_WINDOWS;
    assert_words(&sample, &b, false);
    b = sample;
    b.paging = MEMCTX_PAGING_X86_64_5LEVEL;
    assert_words(&sample, &b, false);
    b = sample;
    b.kcr3 += MEMCTX_PAGE_SIZE;
    assert_words(&sample, &b, false);
    b = sample;
    b.base_gva += MEMCTX_PAGE_SIZE;
    assert_words(&sample, &b, false);
    b = sample;
    b.first_process_gva += 8;
    assert_words(&sample, &b, false);
}

/* Not even the longest words are cut. */
static void
test_words_of_long_kernels(void **state)
{
    struct memctx_kernel b = sample;
    (void)state;
    b.kcr3 = b.base_gva = b.first_process_gva = UINT64_MAX;
    memset(b.version, 'v', sizeof(b.version) - 1);
    struct memctx_kernel c = b;
    c.version[sizeof(c.version) - 2] = 'w';
    assert_words(&b, &c, false);
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        T(test_every_system_has_a_name_and_ops),
        T(test_unknown_system),
        T(test_words_of_kernels),
        T(test_words_of_long_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
