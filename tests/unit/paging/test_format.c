/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the table of formats says of each paging: nobody may read it out of the
 * name, so that here the two are compared. */
#include "unit.h"

#include <elf.h>

#include "base/bytes.h"
#include "paging/format.h"

static const struct {
    const char *prefix; /* of the name */
    uint16_t elf_machine;
    unsigned pointer_bytes;
} archs[] = {
    {"x86_64-", EM_X86_64, 8},
    {"x86-", EM_386, 4},
    {"aarch64-", EM_AARCH64, 8},
};

static void
every_paging_is_of_the_architecture_in_its_name(void **state)
{
    (void)state;
    for (unsigned i = 1; i < MEMCTX_PAGINGS; i++) {
        const struct memctx_paging_format *format =
            memctx_paging_format((enum memctx_paging)i);
        unsigned found = 0;
        for (size_t j = 0; j < MEMCTX_ARRAY_LEN(archs); j++) {
            const char *prefix = archs[j].prefix;
            if (strncmp(format->name, prefix, strlen(prefix)) != 0)
                continue;
            assert_int_equal(format->arch->elf_machine, archs[j].elf_machine);
            assert_int_equal(format->arch->pointer_bytes,
                             archs[j].pointer_bytes);
            found++;
        }
        assert_int_equal(found, 1);
    }
}

static void
names_of_aarch64_tell_granule_and_bits(void **state)
{
    (void)state;
    unsigned checked = 0;
    for (unsigned i = 1; i < MEMCTX_PAGINGS; i++) {
        const struct memctx_paging_format *format =
            memctx_paging_format((enum memctx_paging)i);
        unsigned granule_kib;
        unsigned bits;
        if (sscanf(format->name, "aarch64-%uk-%u", &granule_kib, &bits) != 2)
            continue;
        assert_int_equal(format->va_bits, bits);
        assert_int_equal(memctx_paging_aarch64(granule_kib * MEMCTX_KIB, bits),
                         i);
        assert_int_equal(memctx_paging_root_size((enum memctx_paging)i) % 16,
                         0);
        checked++;
    }
    assert_int_equal(checked, 11);
    assert_int_equal(memctx_paging_aarch64(4 * MEMCTX_KIB, 46),
                     MEMCTX_PAGING_UNKNOWN);
    /* As many bits and as large pages, but another architecture's. */
    assert_int_equal(memctx_paging_aarch64(4 * MEMCTX_KIB, 57),
                     MEMCTX_PAGING_UNKNOWN);
    assert_int_equal(memctx_paging_aarch64(4 * MEMCTX_KIB, 32),
                     MEMCTX_PAGING_UNKNOWN);
}

static void
names_are_read_back(void **state)
{
    (void)state;
    for (unsigned i = 1; i < MEMCTX_PAGINGS; i++) {
        const char *name = memctx_paging_name((enum memctx_paging)i);
        assert_int_equal(memctx_paging_from_name(name), i);
    }
    assert_int_equal(memctx_paging_from_name("aarch64-"),
                     MEMCTX_PAGING_UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_paging_is_of_the_architecture_in_its_name),
        cmocka_unit_test(names_of_aarch64_tell_granule_and_bits),
        cmocka_unit_test(names_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
