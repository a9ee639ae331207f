/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel for i386 without VMCOREINFO: the trampoline leads to its root, or
 * the shape of that does, and only the root that init_mm names is taken. */
#include "unit.h"

#include "guestimg.h"
#include "guest/linux/i386.h"
#include "guest/linux/shape.h"
#include "search/search.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (128 * MEMCTX_MIB)
#define OFFSET UINT32_C(0xc0000000)
#define TEXT GUESTIMG_I386_TEXT
#define ROOT GUESTIMG_I386_ROOT
#define RODATA_END (28 * MEMCTX_MIB)
#define BANNER_AT (25 * MEMCTX_MIB + 77)
#define GDT (29 * MEMCTX_MIB + 0x80)
#define INIT_MM (29 * MEMCTX_MIB + 0x1050)
#define BSS (31 * MEMCTX_MIB)
#define HEADER 0x9d100
#define STALE (40 * MEMCTX_MIB)

struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct memctx_search_result *result;
    struct memctx_kernel found;
    struct memctx_linux_image image;
    struct memctx_error err;
};

static void
write_le32(struct fixture *f, uint64_t gpa, uint32_t value)
{
    unsigned char raw[4];
    for (int i = 0; i < 4; i++)
        raw[i] = (unsigned char)(value >> (8 * i));
    guestimg_write(&f->img, gpa, raw, sizeof(raw));
}

static void
write_header(struct fixture *f, uint64_t gpa, uint64_t gdt_gpa)
{
    write_le32(f, gpa + 4, 0x1f0000);
    write_le32(f, gpa + 8, (uint32_t)gdt_gpa);
}

/* The pages from _text to the end of .rodata were made read-only. */
static void
protect(struct fixture *f, enum memctx_paging paging, uint32_t offset)
{
    bool is_pae = paging == MEMCTX_PAGING_X86_PAE;
    struct guestimg_space space = {ROOT, is_pae ? 3 : 2};
    guestimg_map_range(&f->img, &space, offset + TEXT, TEXT, RODATA_END - TEXT,
                       (is_pae ? 2 : 4) * MEMCTX_MIB, MEMCTX_PTE_PRESENT);
}

static void
build(struct fixture *f, enum memctx_paging paging, uint32_t offset)
{
    static const char banner[] = "Linux version " GUESTIMG_I386_RELEASE " (x)";
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    guestimg_init(&f->img, RAM, RAM);
    guestimg_write_i386(&f->img, offset);
    guestimg_punch(&f->img, GUESTIMG_I386_NOTE, PAGE);
    guestimg_write(&f->img, GUESTIMG_I386_UTS + 3 * 65, "#1 SMP", 7);
    guestimg_map_i386(&f->img, paging, offset);
    protect(f, paging, offset);
    guestimg_write(&f->img, BANNER_AT, banner, sizeof(banner));
    guestimg_write_le64(&f->img, GDT + 16, UINT64_C(0x00cf9b000000ffff));
    guestimg_write_le64(&f->img, GDT + 24, UINT64_C(0x00cf93000000ffff));
    write_le32(f, INIT_MM, (uint32_t)ROOT + offset);
    write_header(f, HEADER, GDT);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
}

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    *guestimg_faults() = (struct guestimg_faults){.reads = 0};
    f->result = test_calloc(1, sizeof(*f->result));
    guestimg_init(&f->img, RAM, RAM);
    build(f, MEMCTX_PAGING_X86_2LEVEL, OFFSET);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    memctx_rammap_destroy(f->map);
    guestimg_deinit(&f->img);
    test_free(f->result);
    test_free(f);
    return 0;
}

/* One try that may read next to nothing by itself; or all of RAM. */
static int
search(struct fixture *f, bool all)
{
    struct memctx_search *search;
    const struct memctx_search_request request = {
        .budget_bytes = all ? 0 : PAGE, .all = all};
    assert_done(memctx_search_create(&search, &f->err), &f->err);
    int failed =
        memctx_search_try(search, f->map, &request, f->result, &f->err);
    memctx_search_destroy(search);
    return failed;
}

static void
assert_found(struct fixture *f, enum memctx_paging paging, uint32_t offset)
{
    const struct memctx_kernel *kernel = &f->result->kernels[0];
    assert_int_equal(f->result->n_kernels, 1);
    assert_int_equal(kernel->kcr3, ROOT);
    assert_int_equal(kernel->paging, paging);
    assert_int_equal(kernel->base_gva, offset + TEXT);
    assert_string_equal(kernel->version, GUESTIMG_I386_RELEASE);
    assert_string_equal(kernel->found, "without-note");
    assert_string_equal(kernel->checks, "image,text,banner,uts,init-mm");
    assert_false(kernel->linux_facts.has_phys_base);
}

static void
test_trampoline_leads_to_each_kind_of_root(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum memctx_paging paging;
        uint32_t offset;
    } cases[] = {
        {MEMCTX_PAGING_X86_2LEVEL, 0xc0000000},
        {MEMCTX_PAGING_X86_2LEVEL, 0xb0000000},
        {MEMCTX_PAGING_X86_2LEVEL, 0x80000000},
        {MEMCTX_PAGING_X86_2LEVEL, 0x78000000},
        {MEMCTX_PAGING_X86_2LEVEL, 0x40000000},
        {MEMCTX_PAGING_X86_PAE, 0xc0000000},
        {MEMCTX_PAGING_X86_PAE, 0x80000000},
        {MEMCTX_PAGING_X86_PAE, 0x40000000},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(cases); i++) {
        build(f, cases[i].paging, cases[i].offset);
        assert_done(search(f, false), &f->err);
        assert_found(f, cases[i].paging, cases[i].offset);
    }
}

static void
test_shape_leads_to_it_without_a_trampoline(void **state)
{
    struct fixture *f = *state;
    write_le32(f, HEADER + 4, 0);
    assert_int_equal(search(f, false), -1);
    assert_done(search(f, true), &f->err);
    assert_found(f, MEMCTX_PAGING_X86_2LEVEL, OFFSET);
}

static void
test_note_that_variables_point_at_is_preferred(void **state)
{
    struct fixture *f = *state;
    guestimg_write_i386(&f->img, OFFSET);
    write_le32(f, BSS + 4, (uint32_t)GUESTIMG_I386_NOTE + OFFSET);
    assert_done(search(f, false), &f->err);
    assert_int_equal(f->result->n_kernels, 1);
    assert_string_equal(f->result->kernels[0].found, "vmcoreinfo-note");
}

static void
refuse(struct fixture *f, uint64_t root_gpa, const char *words)
{
    assert_int_equal(memctx_linux_shape_verify(f->map, root_gpa, false,
                                               &f->found, &f->image, &f->err),
                     -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

static void
copy_root(struct fixture *f, uint64_t to_gpa)
{
    for (uint64_t i = 0; i < PAGE; i += 8)
        guestimg_write_le64(&f->img, to_gpa + i,
                            guestimg_read_le64(&f->img, ROOT + i));
}

/* A task's root whose user half is gone, in a page behind the image or in one
 * that the kernel has freed between .data and .bss. */
static void
test_roots_that_init_mm_does_not_name(void **state)
{
    struct fixture *f = *state;
    copy_root(f, STALE);
    refuse(f, STALE, "no init_mm with this root");
    copy_root(f, ROOT - 16 * PAGE);
    refuse(f, ROOT - 16 * PAGE, "no init_mm with this root");
    assert_done(search(f, false), &f->err);
    assert_found(f, MEMCTX_PAGING_X86_2LEVEL, OFFSET);
}

static void
test_kernel_that_still_boots(void **state)
{
    struct fixture *f = *state;
    guestimg_map_i386(&f->img, MEMCTX_PAGING_X86_2LEVEL, OFFSET);
    refuse(f, ROOT, "no read-only code is below it");
}

static void
test_pages_that_are_no_root(void **state)
{
    (void)state;
    unsigned char page[PAGE] = {0};
    assert_false(memctx_linux_i386_is_root(page));
    page[3 * 8] = 1; /* PAE, the entry of 0xc0000000, */
    assert_true(memctx_linux_i386_is_root(page));
    page[3 * 8] = 0x7; /* with rights that it cannot have, */
    assert_false(memctx_linux_i386_is_root(page));
    page[3 * 8] = 1; /* or one behind a root */
    page[4 * 8] = 1;
    assert_false(memctx_linux_i386_is_root(page));
}

/* A guest full of headers, each of which leads to a boot_gdt without a root. */
static void
test_headers_without_end(void **state)
{
    struct fixture *f = *state;
    struct memctx_linux_image images[2];
    guestimg_punch(&f->img, ROOT, PAGE);
    for (uint64_t gpa = 0x1000; gpa < 0x9000; gpa += 12)
        write_header(f, gpa, GDT);
    guestimg_faults()->reads = 0;
    assert_int_equal(memctx_linux_i386_find(f->map, images, 2), 0);
    assert_true(guestimg_faults()->reads < 9 * 600);
}

/* ... or in front of as many pages that look like a root as there is room for,
 * none of which .data names. */
static void
test_roots_without_end(void **state)
{
    struct fixture *f = *state;
    struct memctx_linux_image image;
    write_le32(f, INIT_MM, 0);
    for (uint64_t gpa = GUESTIMG_I386_ROOT + PAGE; gpa < 50 * MEMCTX_MIB;
         gpa += PAGE)
        copy_root(f, gpa);
    guestimg_faults()->reads = 0;
    assert_int_equal(memctx_linux_i386_find(f->map, &image, 1), 0);
    assert_true(guestimg_faults()->reads < 80 * 65 + 600);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_trampoline_leads_to_each_kind_of_root),
        T(test_shape_leads_to_it_without_a_trampoline),
        T(test_note_that_variables_point_at_is_preferred),
        T(test_roots_that_init_mm_does_not_name),
        T(test_kernel_that_still_boots),
        T(test_pages_that_are_no_root),
        T(test_headers_without_end),
        T(test_roots_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
