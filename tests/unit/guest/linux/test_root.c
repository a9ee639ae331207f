/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* From VMCOREINFO to the root on x86-64 and on both kinds of i386, which tells
 * neither PAGE_OFFSET nor the format of its tables. */
#include "unit.h"

#include "guestimg.h"
#include "guest/guest.h"
#include "guest/linux/root.h"

#define RAM (128 * MEMCTX_MIB)
#define ROOT GUESTIMG_I386_ROOT
#define TEXT GUESTIMG_I386_TEXT
#define NOTE GUESTIMG_I386_NOTE

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_kernel found;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f);
    return 0;
}

static void
build(struct fixture *f, enum memctx_paging paging, uint32_t offset)
{
    guestimg_write_i386(&f->img, offset);
    guestimg_map_i386(&f->img, paging, offset);
    memctx_rammap_destroy(f->map);
    f->map = guestimg_rammap(&f->img, NULL);
}

static int
verify(struct fixture *f)
{
    struct memctx_session session = {.map = f->map};
    return memctx_linux_ops.verify(&session, NOTE, &f->found, &f->err);
}

static void
refuse(struct fixture *f, const char *words)
{
    assert_int_equal(verify(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

static void
test_i386_of_every_split(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum memctx_paging paging;
        uint32_t offset;
    } rows[] = {
        {MEMCTX_PAGING_X86_PAE, 0xc0000000},
        {MEMCTX_PAGING_X86_PAE, 0x80000000},
        {MEMCTX_PAGING_X86_PAE, 0x40000000},
        {MEMCTX_PAGING_X86_2LEVEL, 0xc0000000},
        {MEMCTX_PAGING_X86_2LEVEL, 0xb0000000},
        {MEMCTX_PAGING_X86_2LEVEL, 0x80000000},
        {MEMCTX_PAGING_X86_2LEVEL, 0x40000000},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        guestimg_deinit(&f->img);
        guestimg_init(&f->img, RAM, RAM);
        build(f, rows[i].paging, rows[i].offset);
        assert_done(verify(f), &f->err);
        assert_int_equal(f->found.kcr3, ROOT);
        assert_int_equal(f->found.paging, rows[i].paging);
        assert_int_equal(f->found.base_gva, TEXT + rows[i].offset);
        assert_string_equal(f->found.version, GUESTIMG_I386_RELEASE);
        assert_false(f->found.linux_facts.has_phys_base);
        assert_false(f->found.linux_facts.has_kaslr_offset);
    }
}

static void
test_i386_root_with_a_user_half(void **state)
{
    struct fixture *f = *state;
    build(f, MEMCTX_PAGING_X86_PAE, 0xc0000000);
    guestimg_write_le64(&f->img, ROOT, 0x5000 | MEMCTX_PTE_PRESENT);
    refuse(f, "root entry 0 is user space");
    guestimg_write_le64(&f->img, ROOT, 0);
    assert_done(verify(f), &f->err);
    guestimg_deinit(&f->img);
    guestimg_init(&f->img, RAM, RAM);
    build(f, MEMCTX_PAGING_X86_2LEVEL, 0xc0000000);
    guestimg_write_le64(&f->img, ROOT + 767 * 4 - 4,
                        UINT64_C(0x5000) << 32 |
                            (uint64_t)(MEMCTX_PTE_PRESENT | MEMCTX_PTE_USER)
                                << 32);
    refuse(f, "root entry 767 is user space");
}

static void
test_i386_without_tables(void **state)
{
    struct fixture *f = *state;
    guestimg_write_i386(&f->img, 0xc0000000);
    f->map = guestimg_rammap(&f->img, NULL);
    refuse(f, "check self-map: swapper_pg_dir");
}

static struct memctx_vmcoreinfo
info_of(const char *text)
{
    struct memctx_vmcoreinfo info;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(memctx_vmcoreinfo_parse(text, strlen(text), &info, &err), &err);
    return info;
}

static void
expect_none(struct fixture *f, const char *keys, const char *words)
{
    char text[512];
    struct memctx_linux_root roots[MEMCTX_LINUX_ROOTS_MAX];
    snprintf(text, sizeof(text), "OSRELEASE=6.1\nPAGESIZE=4096\n%s", keys);
    struct memctx_vmcoreinfo info = info_of(text);
    assert_int_equal(memctx_linux_roots(f->map, &info, roots, &f->err), -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

static void
test_addresses_that_lead_nowhere(void **state)
{
    struct fixture *f = *state;
    f->map = guestimg_rammap(&f->img, NULL);
    expect_none(f, "", "has no SYMBOL(swapper_pg_dir)");
    expect_none(f,
                "SYMBOL(swapper_pg_dir)=d0000000\nSYMBOL(_stext)=c1000000\n"
                "SYMBOL(init_uts_ns)=c1000000\n",
                "in no direct map of i386");
    expect_none(f,
                "SYMBOL(swapper_pg_dir)=c1e74010\nSYMBOL(_stext)=c1000000\n"
                "SYMBOL(init_uts_ns)=c1000000\n",
                "in no direct map of i386");
    expect_none(f,
                "SYMBOL(swapper_pg_dir)=1000\nSYMBOL(_stext)=c1000000\n"
                "SYMBOL(init_uts_ns)=c1000000\n",
                "in no direct map of i386");
    /* A wide address makes it x86-64, which has phys_base. */
    expect_none(f,
                "SYMBOL(swapper_pg_dir)=ffffffff82a10000\n"
                "SYMBOL(_stext)=ffffffff81000000\n"
                "SYMBOL(init_uts_ns)=ffffffff82b00000\n",
                "has no NUMBER(phys_base)");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_i386_of_every_split),
        T(test_i386_root_with_a_user_half),
        T(test_i386_without_tables),
        T(test_addresses_that_lead_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
