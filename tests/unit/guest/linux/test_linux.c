/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The proof of a Linux kernel: each lie is refused for its own reason. */
#include "unit.h"

#include "guestimg.h"
#include "guest/guest.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (128 * MEMCTX_MIB)

/* A kernel in RAM, built by build() from f->want. */
struct fixture {
    struct guestimg img;
    struct memctx_rammap *map;
    struct guestimg_kernel want;
    struct memctx_kernel found;
    struct memctx_error err;
};

static int
setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    guestimg_init(&f->img, RAM, RAM);
    f->want = guestimg_kernel();
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

static int
verify(struct fixture *f, uint64_t clue_gpa, struct memctx_kernel *ret)
{
    struct memctx_session session = {.map = f->map};
    return memctx_linux_ops.verify(&session, clue_gpa, ret, &f->err);
}

static void
build(struct fixture *f)
{
    guestimg_add_kernel(&f->img, &f->want);
    f->map = guestimg_rammap(&f->img, NULL);
}

static void
accept_clue(struct fixture *f, uint64_t clue_gpa)
{
    assert_done(verify(f, clue_gpa, &f->found), &f->err);
    assert_int_equal(f->found.os, MEMCTX_OS_LINUX);
    assert_int_equal(f->found.kcr3, f->want.root_gpa);
    assert_int_equal(f->found.clue_gpa, clue_gpa);
    assert_int_equal(f->found.linux_facts.vmcoreinfo_gpa, clue_gpa);
    assert_int_equal(f->found.linux_facts.vmcoreinfo_size, f->want.text_len);
    assert_int_equal(f->found.linux_facts.phys_base, f->want.phys_base);
    assert_int_equal(f->found.base_gva, f->want.text_gva);
    assert_string_equal(f->found.version, f->want.release);
    assert_string_equal(f->found.checks, "self-map,user-half,text,uts");
}

static void
refuse_clue(struct fixture *f, uint64_t clue_gpa, const char *words)
{
    struct memctx_kernel untouched = {.kcr3 = 77};
    assert_int_equal(verify(f, clue_gpa, &untouched), -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
    assert_error(&f->err, MEMCTX_RETRY, "VMCOREINFO at gpa 0x");
    assert_int_equal(untouched.kcr3, 77);
}

/* Build with one line of VMCOREINFO replaced, and see it refused. */
static void
refuse_line(struct fixture *f, const char *line, const char *words)
{
    f->want.falsify = line;
    build(f);
    refuse_clue(f, f->want.note_gpa, words);
    refuse_clue(f, f->want.bare_gpa, words);
}

static void
refuse_without(struct fixture *f, const char *key)
{
    f->want.without = key;
    build(f);
    refuse_clue(f, f->want.note_gpa, key);
}

static void
test_note_of_a_kernel(void **state)
{
    struct fixture *f = *state;
    build(f);
    accept_clue(f, f->want.note_gpa);
    assert_int_equal(f->found.paging, MEMCTX_PAGING_X86_64_4LEVEL);
    assert_string_equal(f->found.found, "vmcoreinfo-note");
    assert_string_equal(f->found.identity, f->want.build_id);
    assert_true(f->found.linux_facts.has_kaslr_offset);
    assert_int_equal(f->found.linux_facts.kaslr_offset, f->want.slide);
}

static void
test_bare_text_of_a_kernel(void **state)
{
    struct fixture *f = *state;
    build(f);
    accept_clue(f, f->want.bare_gpa);
    assert_string_equal(f->found.found, "vmcoreinfo-text");
}

static void
test_five_levels(void **state)
{
    struct fixture *f = *state;
    f->want.levels = 5;
    build(f);
    accept_clue(f, f->want.note_gpa);
    assert_int_equal(f->found.paging, MEMCTX_PAGING_X86_64_5LEVEL);
}

static void
test_negative_phys_base(void **state)
{
    struct fixture *f = *state;
    f->want.slide = 512 * MEMCTX_MIB;
    build(f);
    assert_true(f->want.phys_base < 0);
    accept_clue(f, f->want.note_gpa);
}

static void
test_no_kaslr(void **state)
{
    struct fixture *f = *state;
    f->want.slide = 0;
    f->want.text_gpa = 16 * MEMCTX_MIB;
    build(f);
    assert_int_equal(f->want.phys_base, 0);
    accept_clue(f, f->want.note_gpa);
    assert_true(f->found.linux_facts.has_kaslr_offset);
    assert_int_equal(f->found.linux_facts.kaslr_offset, 0);
}

/* 6 GiB with the split of q35: the image and its note beyond 4 GiB. */
static void
test_kernel_above_4_gib(void **state)
{
    struct fixture *f = *state;
    guestimg_deinit(&f->img);
    guestimg_init(&f->img, 6 * MEMCTX_GIB, 2 * MEMCTX_GIB);
    f->want.text_gpa = 5 * MEMCTX_GIB + 32 * MEMCTX_MIB;
    f->want.note_gpa = 8 * MEMCTX_GIB - 2 * PAGE;
    build(f);
    accept_clue(f, f->want.note_gpa);
    accept_clue(f, f->want.bare_gpa);
}

static void
test_note_at_the_last_page_of_ram(void **state)
{
    struct fixture *f = *state;
    f->want.note_gpa = RAM - PAGE;
    build(f);
    accept_clue(f, f->want.note_gpa);
}

static void
test_bare_text_at_the_last_page_of_ram(void **state)
{
    struct fixture *f = *state;
    f->want.bare_gpa = RAM - PAGE;
    build(f);
    accept_clue(f, f->want.bare_gpa);
}

/* Before 4.13 the note is a static array somewhere in .bss. */
static void
test_note_that_is_not_page_aligned(void **state)
{
    struct fixture *f = *state;
    f->want.note_gpa = 40 * MEMCTX_MIB + 0xa34;
    build(f);
    accept_clue(f, f->want.note_gpa);
}

/* Before 5.9 there is no build ID, before 5.11 no offset of the name in
 * init_uts_ns, before 4.17 no pgtable_l5_enabled. */
static void
test_old_kernel_with_fewer_keys(void **state)
{
    struct fixture *f = *state;
    f->want.release = "4.14.0";
    f->want.build_id = NULL;
    f->want.uts_offset = 4;
    f->want.without = "OFFSET(uts_namespace.name)";
    f->want.falsify = "NUMBER(pgtable_l5_enabled)=0";
    build(f);
    accept_clue(f, f->want.note_gpa);
    assert_string_equal(f->found.identity, "");
}

static void
test_kernel_without_kernel_offset(void **state)
{
    struct fixture *f = *state;
    f->want.without = "KERNELOFFSET";
    build(f);
    accept_clue(f, f->want.note_gpa);
    assert_false(f->found.linux_facts.has_kaslr_offset);
}

static void
test_kernel_without_l5_key_has_four_levels(void **state)
{
    struct fixture *f = *state;
    f->want.without = "NUMBER(pgtable_l5_enabled)";
    build(f);
    accept_clue(f, f->want.note_gpa);
    assert_int_equal(f->found.paging, MEMCTX_PAGING_X86_64_4LEVEL);
}

static void
test_missing_swapper(void **state)
{
    struct fixture *f = *state;
    f->want.without = "SYMBOL(swapper_pg_dir)";
    f->want.falsify = "SYMBOL(init_top_pgt)=";
    build(f);
    refuse_clue(f, f->want.note_gpa, "SYMBOL(init_top_pgt) is no number");
}

static void
test_missing_stext(void **state)
{
    refuse_without(*state, "SYMBOL(_stext)");
}

static void
test_missing_uts(void **state)
{
    refuse_without(*state, "SYMBOL(init_uts_ns)");
}

/* As on aarch64, which has SYMBOL(swapper_pg_dir) too. */
static void
test_missing_phys_base(void **state)
{
    refuse_without(*state, "NUMBER(phys_base)");
}

static void
test_swapper_without_swapper_key_is_init_top_pgt(void **state)
{
    struct fixture *f = *state;
    f->want.without = "SYMBOL(swapper_pg_dir)";
    build(f);
    accept_clue(f, f->want.note_gpa);
}

static void
test_l5_of_two(void **state)
{
    refuse_line(*state, "NUMBER(pgtable_l5_enabled)=2", "neither 0 nor 1");
}

static void
test_l5_with_four_levels(void **state)
{
    refuse_line(*state, "NUMBER(pgtable_l5_enabled)=1", "check self-map");
}

static void
test_no_l5_with_five_levels(void **state)
{
    struct fixture *f = *state;
    f->want.levels = 5;
    refuse_line(f, "NUMBER(pgtable_l5_enabled)=0", "check self-map");
}

static void
test_swapper_outside_the_image(void **state)
{
    refuse_line(*state, "SYMBOL(swapper_pg_dir)=ffff888006800000",
                "is not in the kernel image's GiB");
}

static void
test_stext_outside_the_image(void **state)
{
    refuse_line(*state, "SYMBOL(_stext)=ffffffffc0000000",
                "is not in the kernel image's GiB");
}

static void
test_swapper_that_is_not_page_aligned(void **state)
{
    refuse_line(*state, "SYMBOL(swapper_pg_dir)=ffffffff85800008",
                "root gpa 0x6800008 is no page of RAM");
}

static void
test_root_outside_ram(void **state)
{
    refuse_line(*state, "NUMBER(phys_base)=134217728", "is no page of RAM");
}

static void
test_root_below_zero(void **state)
{
    refuse_line(*state, "NUMBER(phys_base)=-8589934592", "is no page of RAM");
}

static void
test_root_that_ends_beyond_ram(void **state)
{
    struct fixture *f = *state;
    build(f);
    memctx_rammap_destroy(f->map);
    f->img.low = f->img.size = f->want.root_gpa + PAGE / 2;
    f->map = guestimg_rammap(&f->img, NULL);
    refuse_clue(f, f->want.note_gpa, "is no page of RAM");
}

/* phys_base off by one large page: the root is then some other page. */
static void
test_phys_base_off_by_2_mib(void **state)
{
    refuse_line(*state, "NUMBER(phys_base)=14680064", "check self-map");
}

/* The same, with a copy of the root where the lie points at. */
static void
test_copy_of_the_root_elsewhere(void **state)
{
    struct fixture *f = *state;
    f->want.falsify = "NUMBER(phys_base)=14680064";
    build(f);
    assert_int_equal(f->want.phys_base, 16 * MEMCTX_MIB);
    for (uint64_t at = 0; at < PAGE; at += 8)
        guestimg_write_le64(&f->img, f->want.root_gpa - 2 * MEMCTX_MIB + at,
                            guestimg_read_le64(&f->img, f->want.root_gpa + at));
    refuse_clue(f, f->want.note_gpa, "arithmetic gives");
}

/* VMCOREINFO of another kernel, in a crash dump in the page cache. */
static void
test_note_of_a_kernel_that_does_not_run(void **state)
{
    struct fixture *f = *state;
    struct guestimg_kernel other = guestimg_kernel();
    build(f);
    other.slide = 0x2000000;
    other.text_gpa = 64 * MEMCTX_MIB;
    guestimg_add_kernel(&f->img, &other);
    guestimg_punch(&f->img, other.text_gpa, 12 * MEMCTX_MIB);
    refuse_clue(f, other.note_gpa, "check self-map: swapper_pg_dir: gva");
    refuse_clue(f, other.note_gpa, "is not mapped: entry 0 at level 4");
}

static void
test_root_of_noise(void **state)
{
    struct fixture *f = *state;
    build(f);
    for (uint64_t at = 0; at < PAGE; at += 8)
        guestimg_write_le64(&f->img, f->want.root_gpa + at,
                            UINT64_C(0x9e3779b97f4a7c15) * (at + 1));
    refuse_clue(f, f->want.note_gpa, "check self-map");
}

static void
test_user_entry_in_the_root(void **state)
{
    struct fixture *f = *state;
    build(f);
    guestimg_write_le64(&f->img, f->want.root_gpa + 255 * 8,
                        0x100000 | MEMCTX_PTE_PRESENT | MEMCTX_PTE_USER);
    refuse_clue(f, f->want.note_gpa,
                "check user-half: root entry 255 is user space");
}

/* The boot identity map, which some kernels leave behind, is not for users,
 * and an absent entry may hold anything. */
static void
test_kernel_entry_in_the_user_half(void **state)
{
    struct fixture *f = *state;
    build(f);
    guestimg_write_le64(&f->img, f->want.root_gpa,
                        0x100000 | MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE);
    guestimg_write_le64(&f->img, f->want.root_gpa + 8, MEMCTX_PTE_USER);
    accept_clue(f, f->want.note_gpa);
}

static void
test_stext_that_is_not_executable(void **state)
{
    struct fixture *f = *state;
    f->want.text_flags = MEMCTX_PTE_PRESENT | MEMCTX_PTE_NX;
    build(f);
    refuse_clue(f, f->want.note_gpa,
                "check text: _stext is not mapped as kernel code");
}

static void
test_stext_that_users_may_run(void **state)
{
    struct fixture *f = *state;
    f->want.text_flags = MEMCTX_PTE_PRESENT | MEMCTX_PTE_USER;
    build(f);
    const uint64_t entries[] = {
        f->want.root_gpa + 511 * 8,
        guestimg_read_le64(&f->img, f->want.root_gpa + 511 * 8) -
            (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE) + 510 * 8,
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(entries); i++)
        guestimg_write_le64(&f->img, entries[i],
                            guestimg_read_le64(&f->img, entries[i]) |
                                MEMCTX_PTE_USER);
    refuse_clue(f, f->want.note_gpa,
                "check text: _stext is not mapped as kernel code");
}

static void
test_stext_that_is_not_mapped(void **state)
{
    struct fixture *f = *state;
    f->want.text_flags = 0;
    build(f);
    refuse_clue(f, f->want.note_gpa, "check text: _stext: gva");
}

/* The walk of swapper_pg_dir agrees with phys_base, that of _stext does not. */
static void
test_stext_mapped_elsewhere(void **state)
{
    struct fixture *f = *state;
    f->want.falsify = "SYMBOL(_stext)=ffffffff86000000";
    build(f);
    struct guestimg_space space = {f->want.root_gpa, 4};
    guestimg_map(&f->img, &space, UINT64_C(0xffffffff86000000),
                 f->want.text_gpa, 2 * MEMCTX_MIB, MEMCTX_PTE_PRESENT);
    refuse_clue(
        f, f->want.note_gpa,
        "check text: _stext: walk gives gpa 0x6000000, arithmetic gives "
        "0x7000000");
}

static void
test_uts_that_is_not_mapped(void **state)
{
    refuse_line(*state, "SYMBOL(init_uts_ns)=ffffffffa0000000",
                "check uts: init_uts_ns: gva");
}

static void
test_uts_at_the_end_of_the_address_space(void **state)
{
    refuse_line(*state, "SYMBOL(init_uts_ns)=ffffffffffffffff", "check uts");
}

static void
test_uts_name_offset_out_of_reason(void **state)
{
    refuse_line(*state, "OFFSET(uts_namespace.name)=257",
                "uts_namespace.name at offset 257");
}

static void
test_uts_of_another_release(void **state)
{
    struct fixture *f = *state;
    f->want.uts_release = "6.1.0-13-amd64+";
    build(f);
    refuse_clue(f, f->want.note_gpa, "does not hold release 6.1.0-13-amd64");
}

static void
test_uts_of_another_system(void **state)
{
    struct fixture *f = *state;
    build(f);
    guestimg_write(&f->img, f->want.uts_gpa, "LinuX", 5);
    refuse_clue(f, f->want.note_gpa, "init_uts_ns does not hold");
}

static void
test_longest_release(void **state)
{
    struct fixture *f = *state;
    f->want.release =
        "6.1.0-0123456789-0123456789-0123456789-0123456789-0123456789-end";
    assert_int_equal(strlen(f->want.release), 64);
    build(f);
    accept_clue(f, f->want.note_gpa);
}

static void
test_text_cut_within_a_line(void **state)
{
    struct fixture *f = *state;
    build(f);
    size_t cut =
        (size_t)(strstr(f->want.text, "SYMBOL(_stext)=") + 25 - f->want.text);
    guestimg_write_note(&f->img, f->want.note_gpa, f->want.text, cut);
    refuse_clue(f, f->want.note_gpa, "has no SYMBOL(_stext)");
    guestimg_write(&f->img, f->want.bare_gpa + cut, "", 1);
    refuse_clue(f, f->want.bare_gpa, "has no SYMBOL(_stext)");
}

static void
test_note_longer_than_sane(void **state)
{
    struct fixture *f = *state;
    build(f);
    uint64_t size_at = f->want.note_gpa + 4;
    guestimg_write_le64(&f->img, size_at, 4 * PAGE + 1);
    refuse_clue(f, f->want.note_gpa, "note of 16385 bytes");
    guestimg_write_le64(&f->img, size_at, 0x10001);
    refuse_clue(f, f->want.note_gpa, "no VMCOREINFO at gpa");
    guestimg_write_le64(&f->img, size_at, 0);
    refuse_clue(f, f->want.note_gpa, "no VMCOREINFO at gpa");
}

static void
test_note_that_ends_beyond_ram(void **state)
{
    struct fixture *f = *state;
    f->want.note_gpa = RAM - PAGE;
    build(f);
    guestimg_write_le64(&f->img, f->want.note_gpa + 4, 2 * PAGE);
    refuse_clue(f, f->want.note_gpa, "gpa 0x8000000 is not RAM");
}

static void
test_clue_that_went_away(void **state)
{
    struct fixture *f = *state;
    build(f);
    guestimg_punch(&f->img, f->want.note_gpa, PAGE);
    refuse_clue(f, f->want.note_gpa, "no VMCOREINFO at gpa 0x3001000 any more");
    refuse_clue(f, RAM, "is not RAM");
}

static void
test_truncated_backing_is_gone(void **state)
{
    struct fixture *f = *state;
    build(f);
    guestimg_truncate(&f->img, f->want.root_gpa);
    assert_int_equal(verify(f, f->want.note_gpa, &f->found), -1);
    assert_error(&f->err, MEMCTX_GONE, "check self-map");
}

/* Every read may fail, and none may fail unnoticed; verify() promises to need
 * about 100 at most. */
static void
test_each_read_fails_once(void **state)
{
    struct fixture *f = *state;
    struct guestimg_faults *faults = guestimg_faults();
    build(f);
    memctx_rammap_destroy(f->map);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    *faults = (struct guestimg_faults){.reads = 0};
    accept_clue(f, f->want.note_gpa);
    unsigned long needed = faults->reads;
    assert_in_range(needed, 10, 100);
    for (unsigned long n = 1; n <= needed; n++) {
        *faults = (struct guestimg_faults){.fail_from = n};
        refuse_clue(f, f->want.note_gpa, "failed: Input/output error");
        assert_int_equal(faults->reads, n);
    }
}

struct clues {
    uint64_t gpas[16];
    size_t n;
    size_t stop_at;
};

static bool
take_clue(uint64_t gpa, void *arg)
{
    struct clues *clues = arg;
    clues->gpas[clues->n++] = gpa;
    return clues->n != clues->stop_at;
}

/* Scan `len` bytes of RAM at gpa. */
static struct clues
scan(struct fixture *f, uint64_t gpa, size_t len, bool thorough, size_t stop_at)
{
    struct clues clues = {.stop_at = stop_at};
    unsigned char *bytes = test_malloc(len);
    assert_done(memctx_rammap_read(f->map, gpa, bytes, len, &f->err), &f->err);
    struct memctx_block block = {gpa, bytes, len, thorough, false};
    memctx_linux_ops.scan(&block, take_clue, &clues);
    test_free(bytes);
    return clues;
}

static void
test_scan_sees_page_starts(void **state)
{
    struct fixture *f = *state;
    build(f);
    struct clues clues = scan(f, 48 * MEMCTX_MIB, MEMCTX_MIB, false, 0);
    assert_int_equal(clues.n, 2);
    assert_int_equal(clues.gpas[0], f->want.bare_gpa);
    assert_int_equal(clues.gpas[1], f->want.note_gpa);
    assert_int_equal(scan(f, 48 * MEMCTX_MIB, MEMCTX_MIB, false, 1).n, 1);
}

static void
test_scan_passes_over_unaligned_notes_unless_thorough(void **state)
{
    struct fixture *f = *state;
    f->want.bare_gpa = 0;
    f->want.note_gpa = 48 * MEMCTX_MIB + 5 * PAGE - 4;
    build(f);
    assert_int_equal(scan(f, 48 * MEMCTX_MIB, MEMCTX_MIB, false, 0).n, 0);
    struct clues clues = scan(f, 48 * MEMCTX_MIB, MEMCTX_MIB, true, 0);
    assert_int_equal(clues.n, 1);
    assert_int_equal(clues.gpas[0], f->want.note_gpa);
}

static void
test_thorough_scan_reports_each_clue_once(void **state)
{
    struct fixture *f = *state;
    build(f);
    assert_int_equal(scan(f, 48 * MEMCTX_MIB, MEMCTX_MIB, true, 0).n, 2);
}

/* The note's static array is of u32. */
static void
test_scan_wants_notes_aligned_to_four(void **state)
{
    struct fixture *f = *state;
    f->want.bare_gpa = 0;
    f->want.note_gpa = 48 * MEMCTX_MIB + 5 * PAGE - 3;
    build(f);
    assert_int_equal(scan(f, 48 * MEMCTX_MIB, MEMCTX_MIB, true, 0).n, 0);
}

static void
test_scan_stays_in_its_block(void **state)
{
    struct fixture *f = *state;
    build(f);
    const uint64_t at = f->want.note_gpa;
    assert_int_equal(scan(f, at, 24, false, 0).n, 1);
    assert_int_equal(scan(f, at, 23, false, 0).n, 0);
    assert_int_equal(scan(f, at - 4, 28, true, 0).n, 1);
    assert_int_equal(scan(f, at - 4, 27, true, 0).n, 0);
    assert_int_equal(scan(f, at + 4, 20, true, 0).n, 0);
    assert_int_equal(scan(f, at + 12, PAGE, true, 0).n, 0);
    assert_int_equal(scan(f, at, 1, true, 0).n, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_note_of_a_kernel),
        T(test_bare_text_of_a_kernel),
        T(test_five_levels),
        T(test_negative_phys_base),
        T(test_no_kaslr),
        T(test_kernel_above_4_gib),
        T(test_note_at_the_last_page_of_ram),
        T(test_bare_text_at_the_last_page_of_ram),
        T(test_note_that_is_not_page_aligned),
        T(test_old_kernel_with_fewer_keys),
        T(test_kernel_without_kernel_offset),
        T(test_kernel_without_l5_key_has_four_levels),
        T(test_missing_swapper),
        T(test_missing_stext),
        T(test_missing_uts),
        T(test_missing_phys_base),
        T(test_swapper_without_swapper_key_is_init_top_pgt),
        T(test_l5_of_two),
        T(test_l5_with_four_levels),
        T(test_no_l5_with_five_levels),
        T(test_swapper_outside_the_image),
        T(test_stext_outside_the_image),
        T(test_swapper_that_is_not_page_aligned),
        T(test_root_outside_ram),
        T(test_root_below_zero),
        T(test_root_that_ends_beyond_ram),
        T(test_phys_base_off_by_2_mib),
        T(test_copy_of_the_root_elsewhere),
        T(test_note_of_a_kernel_that_does_not_run),
        T(test_root_of_noise),
        T(test_user_entry_in_the_root),
        T(test_kernel_entry_in_the_user_half),
        T(test_stext_that_is_not_executable),
        T(test_stext_that_users_may_run),
        T(test_stext_that_is_not_mapped),
        T(test_stext_mapped_elsewhere),
        T(test_uts_that_is_not_mapped),
        T(test_uts_at_the_end_of_the_address_space),
        T(test_uts_name_offset_out_of_reason),
        T(test_uts_of_another_release),
        T(test_uts_of_another_system),
        T(test_longest_release),
        T(test_text_cut_within_a_line),
        T(test_note_longer_than_sane),
        T(test_note_that_ends_beyond_ram),
        T(test_clue_that_went_away),
        T(test_truncated_backing_is_gone),
        T(test_each_read_fails_once),
        T(test_scan_sees_page_starts),
        T(test_scan_passes_over_unaligned_notes_unless_thorough),
        T(test_thorough_scan_reports_each_clue_once),
        T(test_scan_wants_notes_aligned_to_four),
        T(test_scan_stays_in_its_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
