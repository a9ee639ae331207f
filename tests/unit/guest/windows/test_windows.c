/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Windows guests of all builds, paging modes and stages, and everything in RAM
 * that may be taken for their root and is not. */
#include "unit.h"

#include "guest/guest.h"
#include "guest/windows/process.h"
#include "guest/windows/transition.h"
#include "winprobe.h"

#define PAGE MEMCTX_PAGE_SIZE
#define RAM (64 * MEMCTX_MIB)
#define FOUR MEMCTX_PAGING_X86_64_4LEVEL
#define FIVE MEMCTX_PAGING_X86_64_5LEVEL
#define PAE MEMCTX_PAGING_X86_PAE
#define OLD MEMCTX_PAGING_X86_2LEVEL

static void
make_ram(struct winprobe *f, uint64_t size, uint64_t low)
{
    guestimg_init(&f->img, size, low);
    winprobe_begin(f);
}

static int
setup(void **state)
{
    struct winprobe *f = test_calloc(1, sizeof(*f));
    make_ram(f, RAM, RAM);
    f->want = winimg(19045, FOUR);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct winprobe *f = *state;
    winprobe_end(f);
    test_free(f);
    return 0;
}

static void
remake_ram(struct winprobe *f, uint64_t size, uint64_t low)
{
    winprobe_end(f);
    make_ram(f, size, low);
}

static void
expect_nothing(struct winprobe *f, const char *words)
{
    assert_int_equal(winprobe_try(f), -1);
    assert_error(&f->err, MEMCTX_RETRY, words);
}

/* ---- what must be found ------------------------------------------------- */

static void
test_every_build(void **state)
{
    struct winprobe *f = *state;
    for (const struct winimg_build *b = winimg_builds; b->build != 0; b++) {
        char version[32];
        remake_ram(f, RAM, RAM);
        f->want = winimg(b->build, b->wide ? FOUR : PAE);
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
        winprobe_assert_offsets(f);
        snprintf(version, sizeof(version), "%u.%u.%u", b->major, b->minor,
                 b->build);
        assert_string_equal(f->kernel->version, version);
        assert_string_equal(f->kernel->identity, WINIMG_IDENTITY);
        assert_int_equal(f->kernel->size_bytes, WINIMG_SIZE);
        assert_int_equal(f->kernel->windows_facts.offsets.user_dtb, 0);
    }
}

static void
test_every_paging(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, FIVE, PAE, OLD};
    for (size_t i = 0; i < 4 * MEMCTX_ARRAY_LEN(pagings); i++) {
        enum memctx_paging paging = pagings[i / 4];
        unsigned build = paging == OLD ? 7601 : paging == PAE ? 19041 : 20348;
        remake_ram(f, RAM, RAM);
        f->want = winimg(build, paging);
        f->want.large_pages = i % 2 == 0;
        if (i % 4 >= 2)
            f->want.stub_gpa = 0;
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
        winprobe_assert_offsets(f);
        const char *found = f->want.stub_gpa != 0 ? "low-stub"
                            : paging == PAE       ? "pae-root"
                                                  : "self-map";
        assert_string_equal(f->kernel->found, found);
        assert_string_equal(f->kernel->checks,
                            "top-level,self-map,kuser,ntoskrnl,system-process");
    }
}

/* 22000 was seen at fffff804`4b40f000, 19042 at fffff806`79217000. */
static void
test_base_that_is_no_large_page(void **state)
{
    struct winprobe *f = *state;
    static const bool large[] = {true, false};
    for (size_t i = 0; i < 2; i++) {
        remake_ram(f, RAM, RAM);
        f->want = winimg(22000, FOUR);
        f->want.large_pages = large[i];
        f->want.base_gva = UINT64_C(0xfffff8044b40f000);
        f->want.image_gpa += 0xf000;
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
    }
}

static void
test_every_self_index(void **state)
{
    struct winprobe *f = *state;
    static const unsigned indices[] = {0x100, 0x10a, 0x174, 0x1ed, 0x1fe};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(indices); i++) {
        remake_ram(f, RAM, RAM);
        f->want.self_index = indices[i];
        f->want.stub_gpa = 0;
        f->want.next_gpa = f->want.kuser_gpa = 0;
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
    }
}

/* Anywhere: no window that the next release leaves. */
static void
test_root_and_tables_above_4_gib(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, FIVE, PAE};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(pagings); i++) {
        remake_ram(f, 8 * MEMCTX_GIB, 3 * MEMCTX_GIB);
        f->want = winimg(19041, pagings[i]);
        f->want.stub_gpa = 0;
        f->want.tables_gpa = 7 * MEMCTX_GIB;
        f->want.image_gpa = 5 * MEMCTX_GIB;
        /* A PAE root is below 4 GiB: CR3 has 32 bits. */
        f->want.root_gpa =
            pagings[i] == PAE ? 2 * MEMCTX_GIB + PAGE : 6 * MEMCTX_GIB + PAGE;
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
    }
}

/* Of the last PAE directory only the entry of itself is certain; the user's
 * directories may be missing. */
static void
test_sparse_pae_root(void **state)
{
    struct winprobe *f = *state;
    f->want = winimg(7601, PAE);
    winimg_write(&f->img, &f->want);
    uint64_t last =
        guestimg_read_le64(&f->img, f->want.root_gpa + 24) & MEMCTX_PTE_FRAME;
    for (unsigned i = 0; i < 3; i++)
        guestimg_write_le64(&f->img, last + 8 * i, 0);
    for (unsigned i = 0; i < 2; i++)
        guestimg_write_le64(&f->img, f->want.root_gpa + 8 * i, 0);
    winprobe_assert_found(f);
}

static void
test_user_half_may_be_in_use(void **state)
{
    struct winprobe *f = *state;
    f->want.user_half = true;
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
}

/* KVA shadow: flag bits in DirectoryTableBase, and a root for user space that
 * maps itself, too. */
static void
test_kva_shadow(void **state)
{
    struct winprobe *f = *state;
    static const unsigned builds[] = {7601, 17134, 18362, 19045, 26100};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(builds); i++) {
        remake_ram(f, RAM, RAM);
        f->want = winimg(builds[i], FOUR);
        f->want.kva_shadow = true;
        f->want.stub_gpa = 0;
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
        winprobe_assert_offsets(f);
        assert_int_equal(f->kernel->windows_facts.offsets.user_dtb,
                         f->want.build->user_dtb);
    }
}

/* Without a self map only the low stub leads to a root. */
static void
test_root_without_self_map(void **state)
{
    struct winprobe *f = *state;
    f->want = winimg(20348, FIVE);
    f->want.self_index = 0;
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->found, "low-stub");
    assert_string_equal(f->kernel->checks,
                        "top-level,kuser,ntoskrnl,system-process");
}

static void
test_getters_of_other_shapes(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, PAE};
    static const enum winimg_code codes[] = {WINIMG_CODE_PADDED,
                                             WINIMG_CODE_THUNK};
    for (size_t i = 0; i < 4; i++) {
        remake_ram(f, RAM, RAM);
        f->want = winimg(19041, pagings[i / 2]);
        f->want.code = codes[i % 2];
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
        winprobe_assert_offsets(f);
    }
}

/* An offset that nobody tells is omitted; the proof does without. */
static void
test_getters_that_cannot_be_read(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, PAE};
    for (size_t i = 0; i < 2; i++) {
        remake_ram(f, RAM, RAM);
        f->want = winimg(19041, pagings[i]);
        f->want.code = WINIMG_CODE_OPAQUE;
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
        const struct memctx_windows_offsets *offsets =
            &f->kernel->windows_facts.offsets;
        assert_int_equal(offsets->dtb, f->want.build->dtb);
        assert_int_equal(offsets->pid, 0);
        assert_int_equal(offsets->links, 0);
        assert_int_equal(offsets->image_name, 0);
    }
}

static void
test_exports_that_are_missing(void **state)
{
    struct winprobe *f = *state;
    f->want.without = "PsGetProcessImageFileName";
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
    assert_int_equal(f->kernel->windows_facts.offsets.pid, 0x440);
    assert_int_equal(f->kernel->windows_facts.offsets.image_name, 0);

    remake_ram(f, RAM, RAM);
    f->want = winimg(7601, FOUR);
    f->want.without = "NtBuildNumber";
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->version, "6.1");

    remake_ram(f, RAM, RAM);
    f->want = winimg(9600, FOUR);
    f->want.without = "NtBuildNumber";
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->version, "6.3.9600");

    remake_ram(f, RAM, RAM);
    f->want = winimg(26100, FOUR);
    f->want.without = "PsInitialSystemProcess";
    winimg_write(&f->img, &f->want);
    expect_nothing(f, "exports no PsInitialSystemProcess");
}

static void
test_image_without_debug_record(void **state)
{
    struct winprobe *f = *state;
    f->want.pdb = NULL;
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->identity, "");
}

static void
test_path_of_a_pdb_is_cut(void **state)
{
    struct winprobe *f = *state;
    f->want.pdb = "d:\\os\\obj\\ntkrnlmp.pdb";
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->identity, WINIMG_IDENTITY);
}

/* ---- pages that are out -------------------------------------------------- */

/* A page in transition is in RAM. Its frame may have bits set that no RAM has.
 */
static void
test_pages_in_transition(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, FIVE, PAE, OLD};
    for (size_t i = 0; i < 2 * MEMCTX_ARRAY_LEN(pagings); i++) {
        remake_ram(f, RAM, RAM);
        f->want = winimg(pagings[i / 2] == OLD ? 7601 : 19041, pagings[i / 2]);
        f->want.large_pages = false;
        winimg_write(&f->img, &f->want);
        winimg_page(&f->img, &f->want, 0, WINIMG_SIZE,
                    WINIMG_TRANSITION + i % 2);
        winprobe_assert_found(f);
        winprobe_assert_offsets(f);
        assert_string_equal(f->kernel->identity, WINIMG_IDENTITY);
    }
}

/* What is in transition is a frame; a prototype, or a page file, is not. */
static void
test_entries_that_are_not_in_transition(void **state)
{
    struct winprobe *f = *state;
    static const struct {
        uint64_t entry;
        uint64_t is;
    } entries[] = {
        {UINT64_C(0x0000200002533860), UINT64_C(0x2533001)},
        {UINT64_C(0x0000200002533870), UINT64_C(0x0000200002533001)},
        {UINT64_C(0x2533880), UINT64_C(0x2533001)},
        {UINT64_C(0x2533c80), 0},
        {UINT64_C(0x2533480), 0},
        {UINT64_C(0x2533080), 0},
        {UINT64_C(0x2533881), 0},
        {0, 0},
    };
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(entries); i++)
        assert_true(memctx_windows_soft(f->map, entries[i].entry) ==
                    entries[i].is);
}

/* A kernel is known by its sections or its PDB, too. What only exports tell is
 * then not said. */
static void
test_exports_that_are_out(void **state)
{
    struct winprobe *f = *state;
    for (const struct winimg_build *b = winimg_builds; b->build != 0; b++) {
        for (int names = 0; names < 2; names++) {
            remake_ram(f, RAM, RAM);
            f->want = winimg(b->build, b->wide ? FOUR : PAE);
            f->want.large_pages = false;
            winimg_write(&f->img, &f->want);
            winimg_page(&f->img, &f->want, names ? WINIMG_NAMES : WINIMG_EDATA,
                        PAGE, WINIMG_PAGE_FILE);
            winprobe_assert_found(f);
            assert_string_equal(f->kernel->identity, WINIMG_IDENTITY);
            assert_string_equal(
                f->kernel->checks,
                names ? "top-level,self-map,kuser,ntoskrnl,system-process"
                      : "top-level,self-map,kuser,ntoskrnl,sections,"
                        "system-process");
            assert_int_equal(f->kernel->windows_facts.offsets.dtb, b->dtb);
            assert_int_equal(f->kernel->windows_facts.offsets.pid, 0);
            assert_int_equal(f->kernel->windows_facts.offsets.image_name, 0);
        }
    }
}

/* A driver whose exports are out is none. */
static void
test_driver_whose_exports_are_out(void **state)
{
    struct winprobe *f = *state;
    f->want.large_pages = false;
    f->want.pdb = "hal.pdb";
    winimg_write(&f->img, &f->want);
    winimg_page(&f->img, &f->want, WINIMG_EDATA, PAGE, WINIMG_PAGE_FILE);
    winprobe_assert_found(f);
    f->want.only_data = true;
    winimg_write(&f->img, &f->want);
    winimg_page(&f->img, &f->want, WINIMG_EDATA, PAGE, WINIMG_PAGE_FILE);
    expect_nothing(f, "check ntoskrnl: no image of ntoskrnl.exe is mapped; the "
                      "last image: gva 0xfffff80312400000: export directory");
}

/* ---- stages ------------------------------------------------------------- */

static void
test_stages_of_a_boot(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, FIVE, PAE, OLD};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(pagings); i++) {
        remake_ram(f, RAM, RAM);
        f->want = winimg(pagings[i] == OLD ? 7601 : 19041, pagings[i]);
        f->want.stage = WINIMG_FIRMWARE;
        winimg_write(&f->img, &f->want);
        expect_nothing(f, "windows: no low stub or page table that maps "
                          "itself in RAM");
        f->want.stage = WINIMG_LOADER;
        winimg_write(&f->img, &f->want);
        expect_nothing(f, "check kuser: KUSER_SHARED_DATA");
        assert_error(&f->err, MEMCTX_RETRY, "linux: no VMCOREINFO in RAM");
        f->want.stage = WINIMG_KERNEL;
        winimg_write(&f->img, &f->want);
        expect_nothing(f, "check system-process: PsInitialSystemProcess is 0");
        f->want.stage = WINIMG_READY;
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
    }
}

static void
test_system_process_that_is_not_complete(void **state)
{
    struct winprobe *f = *state;
    const struct winimg_build *b = f->want.build;
    winimg_write(&f->img, &f->want);
    uint64_t eprocess = f->want.eprocess_gpa[0];
    guestimg_write_le64(&f->img, eprocess + b->pid, 8);
    expect_nothing(f, "check system-process: EPROCESS 0xffffce849b2f0040 has "
                      "no pid 4");
    guestimg_write_le64(&f->img, eprocess + b->pid, 4);
    guestimg_write(&f->img, eprocess + b->image_name, "Systen", 6);
    expect_nothing(f, "has no name System");
    guestimg_write(&f->img, eprocess + b->image_name, "System", 6);
    guestimg_write_le64(&f->img, eprocess + b->dtb, 0x1ae000);
    expect_nothing(f, "DirectoryTableBase of System is 0x1ae000");
    guestimg_write_le64(&f->img, eprocess + b->dtb, f->want.root_gpa);
    winprobe_assert_found(f);
}

/* A getter that leads to another field tells no offset; the proof stands. */
static void
test_getter_of_another_field(void **state)
{
    struct winprobe *f = *state;
    f->want.code = WINIMG_CODE_WRONG;
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
    assert_int_equal(f->kernel->windows_facts.offsets.pid, 0);
    assert_int_equal(f->kernel->windows_facts.offsets.links, 0);
    assert_int_equal(f->kernel->windows_facts.offsets.image_name, 0);
}

/* ---- decoys ------------------------------------------------------------- */

/* The block has a second CR3, of tables that map only what is below 4 GiB. */
static void
test_identity_map_of_the_low_stub(void **state)
{
    struct winprobe *f = *state;
    const struct guestimg_space space = {0x14000, 4};
    winimg_write(&f->img, &f->want);
    f->img.free_gpa = 0x15000;
    guestimg_map(&f->img, &space, 0x13000, 0x13000, PAGE, MEMCTX_PTE_PRESENT);
    guestimg_map(&f->img, &space, f->want.base_gva, f->want.image_gpa,
                 2 * MEMCTX_MIB, MEMCTX_PTE_PRESENT);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->found, "low-stub");
    winimg_write_stub(&f->img, &f->want, 0x13000, 0x14000);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->found, "self-map");
}

static void
test_stale_low_stub(void **state)
{
    struct winprobe *f = *state;
    static const uint64_t roots[] = {0x1a0000, 0x123456789000, 0x7000,
                                     RAM - PAGE};
    winimg_write(&f->img, &f->want);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(roots); i++) {
        winimg_write_stub(&f->img, &f->want, f->want.stub_gpa, roots[i]);
        winprobe_assert_found(f);
        assert_string_equal(f->kernel->found, "self-map");
    }
}

static void
test_sparse_page_that_maps_itself(void **state)
{
    struct winprobe *f = *state;
    f->want.stub_gpa = 0;
    for (unsigned n = 0; n < 4; n++)
        winimg_write_self(&f->img, 0x1a0000 + n * PAGE, 0x1ed - n, n);
    expect_nothing(f, "windows: 4 candidates, the best: root");
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
}

/* The loader's tables map the kernel, and themselves, but are no process'. */
static void
test_tables_of_the_loader(void **state)
{
    struct winprobe *f = *state;
    const uint64_t loader = 0x180000;
    f->want.stub_gpa = 0;
    winimg_write(&f->img, &f->want);
    for (unsigned i = 256; i < 512; i++)
        guestimg_write_le64(
            &f->img, loader + 8 * i,
            guestimg_read_le64(&f->img, f->want.root_gpa + 8 * i));
    guestimg_write_le64(&f->img, loader + 8 * 0x1ed, 0);
    winimg_write_self(&f->img, loader, 0x123, 0);
    winprobe_assert_found(f);
}

/* Every process has a root that maps the kernel; they lead to the right one. */
static void
test_roots_of_other_processes_lead_to_the_right_one(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, FIVE, PAE};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(pagings); i++) {
        remake_ram(f, RAM, RAM);
        f->want = winimg(19041, pagings[i]);
        f->want.n_processes = 40;
        f->want.stub_gpa = 0;
        /* Those of processes are met first. */
        f->want.root_gpa = 60 * MEMCTX_MIB;
        winimg_write(&f->img, &f->want);
        winprobe_assert_found(f);
        assert_true(f->result.n_clues >= 40);
    }
    /* And the System root itself is not even seen as a clue. */
    guestimg_write_le64(&f->img, f->want.root_gpa + 0x18, 0);
}

/* A root whose self map another root's entry has overwritten. */
static void
test_only_other_processes_are_clues(void **state)
{
    struct winprobe *f = *state;
    f->want.stub_gpa = 0;
    winimg_write(&f->img, &f->want);
    guestimg_write_le64(&f->img, f->want.root_gpa + 8 * f->want.self_index, 0);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->checks,
                        "top-level,kuser,ntoskrnl,system-process");
}

/* VBS: another kernel, with tables, shared page and image of its own. */
static void
test_secure_kernel(void **state)
{
    struct winprobe *f = *state;
    struct winimg secure = f->want;
    secure.root_gpa = 0x150000;
    secure.tables_gpa = 20 * MEMCTX_MIB;
    secure.image_gpa = 44 * MEMCTX_MIB;
    secure.stub_gpa = 0x12000;
    secure.export_as = "securekernel.exe";
    secure.pdb = "securekernel.pdb";
    winimg_write(&f->img, &secure);
    expect_nothing(f, "check ntoskrnl: no image of ntoskrnl.exe is mapped; "
                      "the last image: gva 0xfffff80312400000: image exports "
                      "as 'securekernel");
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
}

/* A root of another RAM, of which only this page is left. */
static void
test_root_whose_tables_are_elsewhere(void **state)
{
    struct winprobe *f = *state;
    winimg_write_self(&f->img, 0x1a0000, 0x1ed, 0);
    for (unsigned i = 0; i < 4; i++)
        guestimg_write_le64(&f->img, 0x1a0000 + 8 * (0x1ee + i),
                            (RAM + i * PAGE) | 0x63);
    expect_nothing(f, "check top-level: 4 of 5 entries lead out of RAM");
}

static void
test_pae_root_that_does_not_map_itself(void **state)
{
    struct winprobe *f = *state;
    f->want = winimg(19041, PAE);
    winimg_write(&f->img, &f->want);
    uint64_t last =
        guestimg_read_le64(&f->img, f->want.root_gpa + 24) & MEMCTX_PTE_FRAME;
    guestimg_write_le64(&f->img, last + 24, 0x300063);
    guestimg_write_le64(&f->img, 0x300000 + 24, 0x301063);
    expect_nothing(f, "check self-map: gva 0xc0603000 leads to gpa 0x301000");
}

/* Two fields of a KPROCESS that may be the root for user space: neither. */
static void
test_two_roots_for_user_space(void **state)
{
    struct winprobe *f = *state;
    f->want.kva_shadow = true;
    winimg_write(&f->img, &f->want);
    winimg_write_self(&f->img, 0x700000, 0x1ed, 3);
    guestimg_write_le64(&f->img, f->want.eprocess_gpa[0] + 0x100, 0x700001);
    winprobe_assert_found(f);
    assert_int_equal(f->kernel->windows_facts.offsets.user_dtb, 0);
}

/* A root that maps itself and has something for user space is a process' own,
 * and no shadow. */
static void
test_root_of_a_process_is_no_shadow(void **state)
{
    struct winprobe *f = *state;
    f->want.kva_shadow = true;
    winimg_write(&f->img, &f->want);
    winimg_write_self(&f->img, 0x700000, 0x1ed, 3);
    guestimg_write_le64(&f->img, 0x700000 + 8 * 255, 0x701067);
    guestimg_write_le64(&f->img, f->want.eprocess_gpa[0] + 0x100, 0x700001);
    winprobe_assert_found(f);
    assert_int_equal(f->kernel->windows_facts.offsets.user_dtb,
                     f->want.build->user_dtb);
}

/* The file is mapped as data, in front of the kernel, or its headers are. */
static void
test_another_image_of_the_same_name(void **state)
{
    struct winprobe *f = *state;
    struct winimg copy = f->want;
    const struct guestimg_space space = {f->want.root_gpa, 4};
    winimg_write(&f->img, &f->want);
    copy.stage = WINIMG_KERNEL;
    copy.stub_gpa = 0;
    copy.root_gpa = 0x150000;
    copy.tables_gpa = 20 * MEMCTX_MIB;
    copy.image_gpa = 44 * MEMCTX_MIB;
    copy.pdb = "ntkrnlXX.pdb";
    winimg_write(&f->img, &copy);
    f->img.free_gpa = 22 * MEMCTX_MIB;
    guestimg_map_range(&f->img, &space, UINT64_C(0xfffff80200000000),
                       copy.image_gpa, WINIMG_SIZE, PAGE, MEMCTX_PTE_PRESENT);
    winprobe_assert_found(f);
    assert_string_equal(f->kernel->identity, WINIMG_IDENTITY);
    /* A copy that points to the System process is as good, but not its base. */
    guestimg_write_le64(&f->img, copy.pointer_gpa, 0x1234567);
    winprobe_assert_found(f);
}

/* EPROCESS structures in crash dumps, file cache and user data. */
static void
test_copies_of_the_system_process(void **state)
{
    struct winprobe *f = *state;
    unsigned char page[PAGE];
    f->want.stub_gpa = 0;
    winimg_write(&f->img, &f->want);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t from = f->want.eprocess_gpa[0] & ~UINT64_C(0xfff);
        for (unsigned at = 0; at < PAGE; at += 8) {
            uint64_t value = guestimg_read_le64(&f->img, from + at);
            for (int b = 0; b < 8; b++)
                page[at + b] = (unsigned char)(value >> (8 * b));
        }
        page[0x40 + 0x28] = 0;
        guestimg_write(&f->img, (50 + i) * MEMCTX_MIB + 123, page, PAGE);
        guestimg_write(&f->img, (40 + i) * MEMCTX_MIB, "System", 7);
    }
    winprobe_assert_found(f);
}

/* What the boot before has left is as well formed: both are told, the one
 * whose clock stands later is the answer. */
static void
add_previous_boot(struct winprobe *f, struct winimg *before)
{
    *before = f->want;
    before->root_gpa = 0x1aa000;
    before->tables_gpa = 24 * MEMCTX_MIB;
    before->image_gpa = 48 * MEMCTX_MIB;
    before->base_gva = UINT64_C(0xfffff80654800000);
    before->time -= 36000000000;
    winimg_write(&f->img, before);
}

static void
test_previous_boot_is_told_apart(void **state)
{
    struct winprobe *f = *state;
    struct winimg before;
    for (int stale = 0; stale < 2; stale++) {
        remake_ram(f, RAM, RAM);
        f->want = winimg(19045, FOUR);
        add_previous_boot(f, &before);
        winimg_write(&f->img, &f->want);
        if (stale)
            winimg_write_stub(&f->img, &before, 0x13000, before.root_gpa);
        assert_done(winprobe_try(f), &f->err);
        assert_int_equal(f->result.n_kernels, 2);
        const struct memctx_kernel *latest =
            &f->result.kernels[memctx_search_latest(&f->result)];
        assert_int_equal(latest->kcr3, f->want.root_gpa);
        assert_int_equal(latest->wall_clock.time, f->want.time);
    }
}

/* Both had the shared page in one place, and tell one time. */
static void
test_previous_boot_with_the_same_shared_page(void **state)
{
    struct winprobe *f = *state;
    struct winimg before = f->want;
    f->want.created = f->want.time - 100;
    winimg_write(&f->img, &f->want);
    before.shares_kuser = f->want.kuser_gpa;
    before.created = f->want.created - 36000000000;
    before.time = f->want.time;
    before.root_gpa = 0x1aa000;
    before.tables_gpa = 24 * MEMCTX_MIB;
    before.image_gpa = 48 * MEMCTX_MIB;
    winimg_write(&f->img, &before);
    assert_done(winprobe_try(f), &f->err);
    assert_int_equal(f->result.n_kernels, 2);
    assert_int_equal(f->result.kernels[memctx_search_latest(&f->result)].kcr3,
                     f->want.root_gpa);
}

/* Of the last boot the image cannot be read: what the boot before has left is
 * no answer, be the shared page in one place for both or not. */
static void
test_previous_boot_beside_one_that_is_paged_out(void **state)
{
    struct winprobe *f = *state;
    static const enum memctx_paging pagings[] = {FOUR, FIVE, PAE, OLD};
    for (size_t i = 0; i < 4 * MEMCTX_ARRAY_LEN(pagings); i++) {
        struct winimg before;
        remake_ram(f, RAM, RAM);
        f->want = winimg(pagings[i / 4] == OLD ? 7601 : 19041, pagings[i / 4]);
        f->want.large_pages = false;
        f->want.uptime = 36000000000;
        f->want.created = f->want.time - f->want.uptime + 100;
        before = f->want;
        before.root_gpa = 0x1aa000;
        before.tables_gpa = 24 * MEMCTX_MIB;
        before.image_gpa = 48 * MEMCTX_MIB;
        before.stub_gpa = 0;
        before.base_gva += 16 * MEMCTX_MIB;
        before.created -= 72000000000;
        winimg_write(&f->img, &f->want);
        if (i % 2 == 0)
            before.shares_kuser = f->want.kuser_gpa;
        else
            before.time -= 36000000000;
        winimg_write(&f->img, &before);
        winimg_page(&f->img, &f->want, i % 4 < 2 ? 0 : WINIMG_EDATA, 0x1000,
                    WINIMG_PAGE_FILE);
        winimg_page(&f->img, &f->want, WINIMG_DATA, 0x1000, WINIMG_PAGE_FILE);
        expect_nothing(f, "is complete, but another, some of which is paged "
                          "out, may be the one that runs: root 0x");
    }
}

/* Each system is told for what it is. */
static void
test_linux_is_no_windows(void **state)
{
    struct winprobe *f = *state;
    struct guestimg_kernel kernel = guestimg_kernel();
    remake_ram(f, 256 * MEMCTX_MIB, 256 * MEMCTX_MIB);
    guestimg_add_kernel(&f->img, &kernel);
    assert_done(winprobe_try(f), &f->err);
    assert_int_equal(f->result.n_kernels, 1);
    assert_int_equal(f->kernel->os, MEMCTX_OS_LINUX);
    assert_int_equal(f->result.seen[MEMCTX_OS_WINDOWS].n_clues, 0);
    remake_ram(f, RAM, RAM);
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
    assert_int_equal(f->result.seen[MEMCTX_OS_LINUX].n_clues, 0);
}

/* ---- hostile RAM -------------------------------------------------------- */

/* A million pages that map themselves take a few reads each. */
static void
test_a_million_candidates(void **state)
{
    struct winprobe *f = *state;
    unsigned char page[PAGE] = {0};
    remake_ram(f, 4 * MEMCTX_GIB, 4 * MEMCTX_GIB);
    for (unsigned n = 0; n < 10000; n++) {
        uint64_t gpa = (64 + (uint64_t)n) * MEMCTX_MIB / 4;
        for (int b = 0; b < 8; b++)
            page[8 * 0x1ed + b] = (unsigned char)((gpa | 0x63) >> (8 * b));
        guestimg_write(&f->img, gpa, page, PAGE);
    }
    expect_nothing(f, "windows: 10000 candidates");
    f->want.stub_gpa = 0;
    f->want.tables_gpa = 4 * MEMCTX_GIB - 32 * MEMCTX_MIB;
    f->want.image_gpa = 4 * MEMCTX_GIB - 16 * MEMCTX_MIB;
    f->want.root_gpa = 4 * MEMCTX_GIB - PAGE;
    winimg_write(&f->img, &f->want);
    winprobe_assert_found(f);
}

/* Tables that lead to themselves map every address, and without end. */
static void
test_tables_that_map_themselves_everywhere(void **state)
{
    struct winprobe *f = *state;
    for (uint64_t at = 0; at < PAGE; at += 8)
        guestimg_write_le64(&f->img, 0x300000 + at, 0x300063);
    expect_nothing(f, "check kuser: KUSER_SHARED_DATA at gpa 0x300000 has "
                      "version 0.3145827");
    /* Its own bytes may say what version it is. */
    guestimg_write_le64(&f->img, 0x300268, UINT64_C(0xa00300063));
    guestimg_write_le64(&f->img, 0x300270, 0);
    expect_nothing(f, "check ntoskrnl: no image of ntoskrnl.exe is mapped");
}

static void
test_truncated_ram(void **state)
{
    struct winprobe *f = *state;
    winimg_write(&f->img, &f->want);
    memctx_rammap_destroy(f->map);
    guestimg_truncate(&f->img, f->want.image_gpa);
    f->img.size = f->img.low = f->want.image_gpa;
    f->map = guestimg_rammap(&f->img, NULL);
    expect_nothing(f, "check ntoskrnl");
}

static void
test_each_read_fails_once(void **state)
{
    struct winprobe *f = *state;
    struct guestimg_faults *faults = guestimg_faults();
    winimg_write(&f->img, &f->want);
    memctx_rammap_destroy(f->map);
    f->map = guestimg_rammap(&f->img, &guestimg_faulty_io);
    unsigned failed = 0;
    int result = -1;
    for (unsigned long n = 1; n < 3000 && result < 0; n++) {
        struct memctx_kernel kernel;
        struct memctx_session session = {.map = f->map};
        *faults = (struct guestimg_faults){.fail_from = n};
        result = memctx_windows_ops.verify(&session, 0x13000, &kernel, &f->err);
        failed += result < 0;
    }
    *faults = (struct guestimg_faults){.fail_from = 0};
    assert_int_equal(result, 0);
    assert_in_range(failed, 30, 1000);
}

static void
test_backing_that_goes_away(void **state)
{
    struct winprobe *f = *state;
    struct memctx_session session = {.map = f->map};
    struct memctx_kernel kernel;
    winimg_write(&f->img, &f->want);
    guestimg_truncate(&f->img, 0x200000);
    assert_int_equal(
        memctx_windows_ops.verify(&session, 0x13000, &kernel, &f->err), -1);
    assert_error(&f->err, MEMCTX_GONE, "was truncated");
}

/* A try takes no memory from the guest. */
static void
test_holes_stay_holes(void **state)
{
    struct winprobe *f = *state;
    winimg_write(&f->img, &f->want);
    uint64_t blocks = guestimg_blocks(&f->img);
    winprobe_assert_found(f);
    assert_int_equal(guestimg_blocks(&f->img), blocks);
}

/* ---- tries -------------------------------------------------------------- */

/* Each try of a waiting guest looks where it was promised to. */
static void
test_budgeted_tries_see_a_boot(void **state)
{
    struct winprobe *f = *state;
    const struct memctx_search_request request = {.budget_bytes = MEMCTX_MIB};
    f->want.stage = WINIMG_LOADER;
    guestimg_touch(&f->img, 0, RAM);
    winimg_write(&f->img, &f->want);
    for (int i = 0; i < 200; i++)
        assert_int_equal(
            memctx_search_try(f->search, f->map, &request, &f->result, &f->err),
            -1);
    f->want.stage = WINIMG_READY;
    winimg_write(&f->img, &f->want);
    assert_done(
        memctx_search_try(f->search, f->map, &request, &f->result, &f->err),
        &f->err);
    assert_int_equal(f->result.kernels[0].kcr3, f->want.root_gpa);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_every_build),
        T(test_every_paging),
        T(test_base_that_is_no_large_page),
        T(test_every_self_index),
        T(test_root_and_tables_above_4_gib),
        T(test_sparse_pae_root),
        T(test_user_half_may_be_in_use),
        T(test_kva_shadow),
        T(test_root_without_self_map),
        T(test_getters_of_other_shapes),
        T(test_getters_that_cannot_be_read),
        T(test_exports_that_are_missing),
        T(test_image_without_debug_record),
        T(test_path_of_a_pdb_is_cut),
        T(test_pages_in_transition),
        T(test_entries_that_are_not_in_transition),
        T(test_exports_that_are_out),
        T(test_driver_whose_exports_are_out),
        T(test_stages_of_a_boot),
        T(test_system_process_that_is_not_complete),
        T(test_getter_of_another_field),
        T(test_identity_map_of_the_low_stub),
        T(test_stale_low_stub),
        T(test_sparse_page_that_maps_itself),
        T(test_tables_of_the_loader),
        T(test_roots_of_other_processes_lead_to_the_right_one),
        T(test_only_other_processes_are_clues),
        T(test_secure_kernel),
        T(test_root_whose_tables_are_elsewhere),
        T(test_pae_root_that_does_not_map_itself),
        T(test_two_roots_for_user_space),
        T(test_root_of_a_process_is_no_shadow),
        T(test_another_image_of_the_same_name),
        T(test_copies_of_the_system_process),
        T(test_previous_boot_is_told_apart),
        T(test_previous_boot_with_the_same_shared_page),
        T(test_previous_boot_beside_one_that_is_paged_out),
        T(test_linux_is_no_windows),
        T(test_a_million_candidates),
        T(test_tables_that_map_themselves_everywhere),
        T(test_truncated_ram),
        T(test_each_read_fails_once),
        T(test_backing_that_goes_away),
        T(test_holes_stay_holes),
        T(test_budgeted_tries_see_a_boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
