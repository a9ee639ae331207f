/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Proves a candidate root by what it maps. RAM is full of tables that map the
 * kernel just as well: of other processes, of the loader, of an earlier boot,
 * of KVA shadow. So the kernel that a candidate maps is asked for its System
 * process, and only the root that this process names is the answer. */
#include "guest/windows/proof.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "paging/view.h"
#include "guest/windows/finder.h"
#include "guest/windows/image.h"
#include "guest/windows/kuser.h"
#include "guest/windows/roots.h"
#include "guest/windows/system.h"
#include "guest/windows/transition.h"

/* What the proof of one root may take: about 50 ms of CPU. */
#define STEPS_A_ROOT 131072u

/* A root on its way through the checks. */
struct candidate {
    struct memctx_windows_root root;
    struct memctx_view view;
    unsigned char table[MEMCTX_PAGE_SIZE]; /* the root, or its page */
    struct memctx_windows_kuser kuser;
    struct memctx_windows_finder finder;
    struct memctx_windows_image image;
    struct memctx_windows_system system;
    enum memctx_windows_missed missed; /* a check failed for want of a page */
    uint64_t lead_gpa; /* another root, which the System process names; or 0 */
    unsigned passed;   /* checks */
    char checks[MEMCTX_CHECKS_MAX];
};

/* 0: passed; NOTHING_TO_CHECK: passed, but it proves nothing; -1: failed. */
typedef int check_fn(struct candidate *c, struct memctx_error *err);
#define NOTHING_TO_CHECK 1

static bool
is_long(const struct candidate *c)
{
    return memctx_view_pointer_size(&c->view) == 8;
}

/* With 64 bits a page is one table, whatever part of it is the root. */
static uint64_t
table_gpa(const struct candidate *c)
{
    return is_long(c) ? c->root.gpa & ~(MEMCTX_PAGE_SIZE - 1) : c->root.gpa;
}

/* In the kernel's half of a root no entry maps a page, and what it has lies in
 * RAM; but for a few in a dump that was cut. */
static int
check_top_level_long(const struct candidate *c, struct memctx_error *err)
{
    const struct memctx_paging_format *format =
        memctx_paging_format(c->root.paging);
    unsigned present = 0;
    unsigned outside = 0;
    for (unsigned i = 256; i < 512; i++) {
        uint64_t entry = memctx_le64(c->table + 8 * i);
        if ((entry & MEMCTX_PTE_PRESENT) == 0)
            continue;
        if (!memctx_paging_is_good(format, format->levels, entry))
            return memctx_error_set(
                err, MEMCTX_RETRY, "entry %u maps a page: %#" PRIx64, i, entry);
        present++;
        if (!memctx_rammap_contains(c->view.map,
                                    memctx_paging_table(format, entry),
                                    MEMCTX_PAGE_SIZE))
            outside++;
    }
    if (2 * outside > present || present == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%u of %u entries lead out of RAM", outside,
                                present);
    return 0;
}

static int
check_top_level_pae(const struct candidate *c, struct memctx_error *err)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t entry = memctx_le64(c->table + 8 * i);
        if ((entry & MEMCTX_PTE_PRESENT) != 0 &&
            !memctx_rammap_contains(c->view.map, entry & MEMCTX_PTE_FRAME,
                                    MEMCTX_PAGE_SIZE))
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "entry %u leads out of RAM: %#" PRIx64, i,
                                    entry);
    }
    return 0;
}

static int
check_top_level(struct candidate *c, struct memctx_error *err)
{
    uint64_t size = memctx_paging_root_size(c->root.paging);
    uint64_t len = is_long(c) ? MEMCTX_PAGE_SIZE : size;
    if (c->root.gpa % size != 0)
        return memctx_error_set(err, MEMCTX_RETRY, "no multiple of %" PRIu64,
                                size);
    if (c->root.table != NULL)
        memcpy(c->table, c->root.table, (size_t)len);
    else if (memctx_rammap_read(c->view.map, table_gpa(c), c->table,
                                (size_t)len, err) < 0)
        return -1;
    if (c->root.paging == MEMCTX_PAGING_X86_PAE)
        return check_top_level_pae(c, err);
    return is_long(c) ? check_top_level_long(c, err) : 0;
}

/* Walk to the n-th page of the window through which a root maps itself, and
 * demand that it is at gpa. */
static int
expect_self(struct candidate *c, uint64_t gva, uint64_t gpa,
            struct memctx_error *err)
{
    struct memctx_walk walk;
    if (memctx_paging_walk(c->view.map, c->root.paging, c->root.gpa, gva, &walk,
                           err) < 0)
        return -1;
    if (walk.gpa != gpa)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gva %#" PRIx64 " leads to gpa %#" PRIx64
                                ", not to %#" PRIx64,
                                gva, walk.gpa, gpa);
    return 0;
}

/* The index at every level leads from the root to the root; on aarch64 to the
 * page that it is the upper half of. */
static int
check_self_map_long(struct candidate *c, struct memctx_error *err)
{
    int index = memctx_windows_self_index(table_gpa(c), c->table);
    bool five = c->root.paging == MEMCTX_PAGING_X86_64_5LEVEL;
    uint64_t gva = five ? 0 : UINT64_MAX << 48;
    for (unsigned shift = 12; shift <= (five ? 48u : 39u); shift += 9)
        gva |= (uint64_t)index << shift;
    if (five)
        gva |= UINT64_MAX << 57;
    if (index < 0)
        return NOTHING_TO_CHECK;
    return expect_self(c, gva, table_gpa(c), err);
}

/* Page tables are at 0xc0000000; with PAE the four directories among them are
 * at 0xc0600000, and the last of them maps them all, itself at least. */
static int
check_self_map_pae(struct candidate *c, struct memctx_error *err)
{
    uint64_t gpa = memctx_le64(c->table + 8 * 3) & MEMCTX_PTE_FRAME;
    return expect_self(c, UINT64_C(0xc0603000), gpa, err);
}

/* A root without a self map can only come from the low stub, or from the System
 * process, and is then proved by the checks that follow. */
static int
check_self_map(struct candidate *c, struct memctx_error *err)
{
    if (is_long(c))
        return check_self_map_long(c, err);
    if (c->root.paging == MEMCTX_PAGING_X86_PAE)
        return check_self_map_pae(c, err);
    return expect_self(c, UINT64_C(0xc0300000), c->root.gpa, err);
}

static int
check_kuser(struct candidate *c, struct memctx_error *err)
{
    return memctx_windows_kuser_read(&c->view, &c->kuser, err);
}

static int
check_ntoskrnl(struct candidate *c, struct memctx_error *err)
{
    memctx_windows_finder_init(&c->finder, &c->view);
    int failed = memctx_windows_finder_next(&c->finder, &c->image, err);
    if (failed < 0)
        c->missed = memctx_windows_finder_missed(&c->finder);
    return failed;
}

/* Is the System process of this image the owner of this root? */
static int
check_owner(struct candidate *c, struct memctx_error *err)
{
    if (memctx_windows_system_read(&c->view, &c->image, &c->system, err) < 0)
        return -1;
    if (c->system.root_gpa == c->root.gpa)
        return 0;
    if (c->lead_gpa == 0)
        c->lead_gpa = c->system.root_gpa;
    return memctx_error_set(err, MEMCTX_RETRY,
                            "DirectoryTableBase of System is %#" PRIx64
                            ", not the candidate",
                            c->system.root_gpa);
}

/* Is a page out that says where the System process is? */
static bool
lacks_page(struct candidate *c)
{
    uint64_t gva = c->image.exports_gva[MEMCTX_WINDOWS_SYSTEM_PROCESS];
    uint64_t ignored;
    return gva == 0 ? c->image.is_incomplete
                    : memctx_view_pointer(&c->view, gva, &ignored, NULL) < 0;
}

/* More than one image may export as ntoskrnl.exe: the file, mapped as data, or
 * a copy for crash dumps. Only one is the kernel that runs here. */
static int
check_system_process(struct candidate *c, struct memctx_error *err)
{
    for (int i = 0; i < MEMCTX_WINDOWS_IMAGES_MAX; i++) {
        if (check_owner(c, err) == 0) {
            if (c->image.by_sections)
                memctx_checks_add(c->checks, "sections");
            if (c->image.by_exports)
                memctx_checks_add(c->checks, "exports");
            return 0;
        }
        if (lacks_page(c))
            c->missed = MEMCTX_WINDOWS_MISSED_OUT;
        if (memctx_windows_finder_next(&c->finder, &c->image, NULL) < 0)
            return -1;
    }
    return -1;
}

/* All must pass, in this order. */
static const struct {
    const char *name;
    check_fn *run;
} checks[] = {
    {"top-level", check_top_level},
    {"self-map", check_self_map},
    {"kuser", check_kuser},
    {"ntoskrnl", check_ntoskrnl},
    {"system-process", check_system_process},
};

/* So many of them need nothing that Windows pages out. */
#define RESIDENT_CHECKS 3

static_assert(MEMCTX_ARRAY_LEN(checks) == MEMCTX_WINDOWS_CHECKS,
              "callers know how many checks there are");

/* The first n of them. */
static int
run_checks(struct candidate *c, size_t n, struct memctx_error *err)
{
    for (size_t i = 0; i < n; i++) {
        int result = checks[i].run(c, err);
        if (result < 0)
            return memctx_error_prefix(
                err, "root %#" PRIx64 " (%s, %s): check %s", c->root.gpa,
                memctx_windows_clue_name(c->root.clue),
                memctx_paging_name(c->root.paging), checks[i].name);
        c->passed++;
        if (result != NOTHING_TO_CHECK)
            memctx_checks_add(c->checks, checks[i].name);
    }
    return 0;
}

/* Before Windows 10 KUSER_SHARED_DATA has no build number, but each of these
 * versions was released once. Windows 7 was twice, 7600 and 7601. */
static uint32_t
build_of_version(const struct memctx_windows_kuser *kuser)
{
    if (kuser->major == 6 && kuser->minor == 2)
        return 9200;
    if (kuser->major == 6 && kuser->minor == 3)
        return 9600;
    return 0;
}

static void
describe_version(const struct candidate *c, char *version, size_t size)
{
    uint32_t build = c->image.build;
    if (build == 0)
        build = c->kuser.build;
    if (build == 0)
        build = build_of_version(&c->kuser);
    int n = snprintf(version, size, "%" PRIu32 ".%" PRIu32, c->kuser.major,
                     c->kuser.minor);
    if (build != 0)
        snprintf(version + n, size - (size_t)n, ".%" PRIu32, build);
}

static void
describe(struct candidate *c, struct memctx_kernel *kernel)
{
    uint64_t booted = c->system.create_time;
    if (booted == 0)
        booted = memctx_windows_system_began(&c->view, c->system.eprocess_gva,
                                             &c->kuser);
    kernel->os = MEMCTX_OS_WINDOWS;
    kernel->paging = c->root.paging;
    kernel->kcr3 = c->root.gpa;
    describe_version(c, kernel->version, sizeof(kernel->version));
    memcpy(kernel->identity, c->image.identity, sizeof(kernel->identity));
    kernel->base_gva = c->image.base_gva;
    kernel->size_bytes = c->image.size;
    memctx_kernel_set_clue(kernel, c->root.clue,
                           memctx_windows_clue_name(c->root.clue));
    memcpy(kernel->checks, c->checks, sizeof(kernel->checks));
    kernel->first_process_gva = c->system.eprocess_gva;
    kernel->wall_clock = (struct memctx_wall_clock){
        .page_gpa = c->kuser.gpa,
        .time = c->kuser.system_time,
        .booted = booted,
    };
    kernel->windows_facts.system_pointer_gva = c->system.pointer_gva;
    kernel->windows_facts.offsets = c->system.offsets;
}

/* Most of a candidate is room for pages; of a million candidates nearly all
 * fail before they need it. */
static void
begin(struct candidate *c, const struct memctx_windows_root *root)
{
    c->root = *root;
    c->missed = MEMCTX_WINDOWS_MISSED_NONE;
    c->lead_gpa = 0;
    c->passed = 0;
    c->checks[0] = '\0';
}

int
memctx_windows_prove(struct memctx_session *session,
                     const struct memctx_windows_root *root,
                     struct memctx_kernel *ret, uint64_t *lead_gpa,
                     struct memctx_error *err)
{
    struct candidate c;
    struct memctx_work *work = memctx_rammap_work(session->map);
    uint64_t kept = memctx_work_keep_back(work, STEPS_A_ROOT);
    begin(&c, root);
    memctx_windows_view_init(&c.view, session->map, root->paging, root->gpa);
    int failed = run_checks(&c, MEMCTX_WINDOWS_CHECKS, err);
    memctx_work_give_back(work, kept);
    session->passed = c.passed;
    *lead_gpa = c.lead_gpa;
    if (failed == 0)
        describe(&c, ret);
    else if (c.missed != MEMCTX_WINDOWS_MISSED_NONE && c.lead_gpa == 0)
        memctx_windows_rivals_add(&session->rivals, root, c.finder.mark,
                                  c.missed == MEMCTX_WINDOWS_MISSED_OUT);
    return failed;
}

int
memctx_windows_resident(struct memctx_view *view,
                        const struct memctx_windows_root *root,
                        struct memctx_windows_kuser *ret,
                        struct memctx_error *err)
{
    struct candidate c;
    begin(&c, root);
    memctx_windows_view_init(&c.view, view->map, root->paging, root->gpa);
    if (run_checks(&c, RESIDENT_CHECKS, err) < 0)
        return -1;
    *ret = c.kuser;
    return 0;
}
