/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Proves a candidate root by what it maps. RAM is full of tables that map the
 * kernel just as well: of other processes, of the loader, of an earlier boot,
 * of KVA shadow. So the kernel that a candidate maps is asked for its System
 * process, and only the root that this process names is the answer. */
#include "windows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "windows_finder.h"
#include "windows_image.h"
#include "windows_kuser.h"
#include "windows_process.h"
#include "windows_roots.h"

/* All reads that the proof of one root may take: about 50 ms of CPU. */
#define READS_A_ROOT 131072u

/* Images that export as ntoskrnl.exe and turn out to be no running kernel. */
#define IMAGES_MAX 16

/* A root on its way through the checks. */
struct candidate {
    struct memctx_windows_root root;
    uint64_t reads_left;
    struct memctx_view view;
    unsigned char table[MEMCTX_PAGE_SIZE]; /* the root itself */
    bool has_self_map;
    struct memctx_windows_kuser kuser;
    struct memctx_windows_finder finder;
    struct memctx_windows_image image;
    struct memctx_windows_system system;
    uint64_t lead_gpa; /* another root, which the System process names; or 0 */
    unsigned passed;   /* checks */
    char checks[MEMCTX_CHECKS_MAX];
};

typedef int check_fn(struct candidate *c, struct memctx_error *err);

static bool
is_long(const struct candidate *c)
{
    return memctx_view_pointer_size(&c->view) == 8;
}

/* In the kernel's half of a root no entry maps a page, and what it has lies in
 * RAM; but for a few in a dump that was cut. */
static int
check_top_level_long(const struct candidate *c, struct memctx_error *err)
{
    unsigned present = 0;
    unsigned outside = 0;
    for (unsigned i = 256; i < 512; i++) {
        uint64_t entry = memctx_le64(c->table + 8 * i);
        if ((entry & MEMCTX_PTE_PRESENT) == 0)
            continue;
        if ((entry & MEMCTX_PTE_LARGE) != 0)
            return memctx_error_set(
                err, MEMCTX_RETRY, "entry %u maps a page: %#" PRIx64, i, entry);
        present++;
        outside += !memctx_rammap_contains(
            c->view.map, entry & MEMCTX_PTE_FRAME, MEMCTX_PAGE_SIZE);
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
    if (c->root.gpa % size != 0)
        return memctx_error_set(err, MEMCTX_RETRY, "no multiple of %" PRIu64,
                                size);
    if (memctx_rammap_read(c->view.map, c->root.gpa, c->table, (size_t)size,
                           err) < 0)
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
    c->has_self_map = true;
    return 0;
}

/* The index at every level leads from the root to the root. */
static int
check_self_map_long(struct candidate *c, struct memctx_error *err)
{
    int index = memctx_windows_self_index(c->root.gpa, c->table);
    bool five = c->root.paging == MEMCTX_PAGING_X86_64_5LEVEL;
    uint64_t gva = five ? 0 : UINT64_MAX << 48;
    for (unsigned shift = 12; shift <= (five ? 48u : 39u); shift += 9)
        gva |= (uint64_t)index << shift;
    if (five)
        gva |= UINT64_MAX << 57;
    if (index < 0)
        return 0;
    return expect_self(c, gva, c->root.gpa, err);
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
    return memctx_windows_finder_next(&c->finder, &c->image, err);
}

/* Is the System process of this image the owner of this root? */
static int
check_owner(struct candidate *c, struct memctx_error *err)
{
    if (memctx_windows_system_read(&c->view, &c->image, &c->system, err) < 0)
        return -1;
    if (c->system.dtb_gpa == c->root.gpa)
        return 0;
    if (c->lead_gpa == 0)
        c->lead_gpa = c->system.dtb_gpa;
    return memctx_error_set(err, MEMCTX_RETRY,
                            "DirectoryTableBase of System is %#" PRIx64
                            ", not the candidate",
                            c->system.dtb_gpa);
}

/* More than one image may export as ntoskrnl.exe: the file, mapped as data, or
 * a copy for crash dumps. Only one is the kernel that runs here. */
static int
check_system_process(struct candidate *c, struct memctx_error *err)
{
    for (int i = 0; i < IMAGES_MAX; i++) {
        if (check_owner(c, err) == 0)
            return 0;
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

/* A check that had nothing to check is not named. */
static void
note_passed(struct candidate *c, const char *name)
{
    size_t used = strlen(c->checks);
    c->passed++;
    if (strcmp(name, "self-map") == 0 && !c->has_self_map)
        return;
    snprintf(c->checks + used, sizeof(c->checks) - used, "%s%s",
             used > 0 ? "," : "", name);
}

static int
prove(struct candidate *c, struct memctx_error *err)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(checks); i++) {
        if (checks[i].run(c, err) < 0)
            return memctx_error_prefix(
                err, "root %#" PRIx64 " (%s, %s): check %s", c->root.gpa,
                c->root.found, memctx_paging_name(c->root.paging),
                checks[i].name);
        note_passed(c, checks[i].name);
    }
    return 0;
}

/* Before Windows 10 KUSER_SHARED_DATA has no build number, but each of these
 * versions was released once. Windows 7 was twice, 7600 and 7601. */
static uint32_t
build_of_version(const struct memctx_windows_kuser *kuser)
{
    if (kuser->major != 6)
        return 0;
    return kuser->minor == 2 ? 9200 : kuser->minor == 3 ? 9600 : 0;
}

static void
describe_version(const struct candidate *c, char *version, size_t size)
{
    uint32_t build = c->image.build != 0   ? c->image.build
                     : c->kuser.build != 0 ? c->kuser.build
                                           : build_of_version(&c->kuser);
    int n = snprintf(version, size, "%" PRIu32 ".%" PRIu32, c->kuser.major,
                     c->kuser.minor);
    if (build != 0)
        snprintf(version + n, size - (size_t)n, ".%" PRIu32, build);
}

static void
describe(const struct candidate *c, struct memctx_kernel *kernel)
{
    kernel->os = MEMCTX_OS_WINDOWS;
    kernel->paging = c->root.paging;
    kernel->kcr3 = c->root.gpa;
    describe_version(c, kernel->version, sizeof(kernel->version));
    memcpy(kernel->identity, c->image.identity, sizeof(kernel->identity));
    kernel->base_gva = c->image.base_gva;
    kernel->size_bytes = c->image.size;
    snprintf(kernel->found, sizeof(kernel->found), "%s", c->root.found);
    memcpy(kernel->checks, c->checks, sizeof(kernel->checks));
    kernel->windows_facts = (struct memctx_windows_facts){
        .system_eprocess = c->system.eprocess_gva,
        .system_time = c->kuser.system_time,
        .create_time = c->system.create_time,
        .kuser_gpa = c->kuser.gpa,
        .offsets = c->system.offsets,
    };
}

/* Do both roots map gva to the same place? */
static bool
maps_alike(const struct memctx_rammap *map, enum memctx_paging paging,
           uint64_t root_gpa, uint64_t other_gpa, uint64_t gva)
{
    struct memctx_walk one;
    struct memctx_walk other;
    return memctx_paging_walk(map, paging, root_gpa, gva, &one, NULL) == 0 &&
           memctx_paging_walk(map, paging, other_gpa, gva, &other, NULL) == 0 &&
           one.gpa == other.gpa;
}

/* Every process has a root that leads to the same kernel: once that is proven
 * the others need no proof of their own. */
static const struct memctx_kernel *
find_known(const struct memctx_quest *quest,
           const struct memctx_windows_root *root)
{
    for (size_t i = 0; i < quest->n_known; i++) {
        const struct memctx_kernel *k = &quest->known[i];
        if (k->os == MEMCTX_OS_WINDOWS && k->paging == root->paging &&
            maps_alike(quest->map, root->paging, root->gpa, k->kcr3,
                       k->base_gva) &&
            maps_alike(quest->map, root->paging, root->gpa, k->kcr3,
                       k->windows_facts.system_eprocess))
            return k;
    }
    return NULL;
}

/* Prove one root. 0 and *ret; or -1, and *lead is the root that the System
 * process of the kernel it maps has; 0: it maps none. */
static int
try_root(struct memctx_quest *quest, const struct memctx_windows_root *root,
         struct memctx_kernel *ret, uint64_t *lead, struct memctx_error *err)
{
    struct candidate c = {.root = *root};
    c.reads_left = memctx_min(quest->reads_left, READS_A_ROOT);
    uint64_t before = c.reads_left;
    memctx_view_init(&c.view, quest->map, root->paging, root->gpa,
                     &c.reads_left);
    int failed = prove(&c, err);
    quest->reads_left -= before - c.reads_left;
    quest->passed = c.passed;
    *lead = c.lead_gpa;
    if (failed == 0)
        describe(&c, ret);
    return failed;
}

/* Try the root that a System process names. With 5 levels a table of the second
 * level looks like a root of 4, so the lead may have either. */
static int
follow_lead(struct memctx_quest *quest, struct memctx_windows_root root,
            struct memctx_kernel *ret)
{
    static const enum memctx_paging others[MEMCTX_PAGINGS] = {
        [MEMCTX_PAGING_X86_64_4LEVEL] = MEMCTX_PAGING_X86_64_5LEVEL,
        [MEMCTX_PAGING_X86_64_5LEVEL] = MEMCTX_PAGING_X86_64_4LEVEL,
    };
    uint64_t ignored;
    if (try_root(quest, &root, ret, &ignored, NULL) == 0)
        return 0;
    root.paging = others[root.paging];
    return root.paging != MEMCTX_PAGING_UNKNOWN
               ? try_root(quest, &root, ret, &ignored, NULL)
               : -1;
}

/* Prove a root, or the one that it leads to. */
static int
try_root_and_lead(struct memctx_quest *quest,
                  const struct memctx_windows_root *root,
                  struct memctx_kernel *ret, struct memctx_error *err)
{
    const struct memctx_kernel *known = find_known(quest, root);
    const uint64_t note = root->gpa | (uint64_t)root->paging;
    uint64_t lead_gpa;
    if (known != NULL) {
        *ret = *known;
        return 0;
    }
    /* The low stub and the root's own page are clues to one root. */
    if (note == quest->failed)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "root %#" PRIx64 " failed just now", root->gpa);
    if (try_root(quest, root, ret, &lead_gpa, err) == 0)
        return 0;
    if (quest->passed == MEMCTX_ARRAY_LEN(checks) - 1)
        quest->failed = note;
    unsigned passed = quest->passed;
    const struct memctx_windows_root lead = {lead_gpa, root->paging,
                                             root->found};
    if (lead_gpa != 0 && follow_lead(quest, lead, ret) == 0)
        return 0;
    quest->passed = passed;
    return -1;
}

/* The root's own page is the clue to come back to, if it is one: the low stub
 * may be written over, and a process that led here may end. */
static bool
is_own_clue(const struct memctx_rammap *map, const struct memctx_kernel *kernel)
{
    struct memctx_windows_root roots[MEMCTX_WINDOWS_ROOTS_MAX];
    unsigned char page[MEMCTX_PAGE_SIZE];
    return kernel->kcr3 % MEMCTX_PAGE_SIZE == 0 &&
           memctx_rammap_read(map, kernel->kcr3, page, sizeof(page), NULL) ==
               0 &&
           memctx_windows_roots(kernel->kcr3, page, roots) > 0;
}

static int
verify(struct memctx_quest *quest, uint64_t clue_gpa, struct memctx_kernel *ret,
       struct memctx_error *err)
{
    struct memctx_windows_root roots[MEMCTX_WINDOWS_ROOTS_MAX];
    unsigned char page[MEMCTX_PAGE_SIZE];
    struct memctx_kernel kernel = {.os = MEMCTX_OS_WINDOWS};
    unsigned best = 0;
    quest->passed = 0;
    if (memctx_rammap_read(quest->map, clue_gpa, page, sizeof(page), err) < 0)
        return -1;
    size_t n = memctx_windows_roots(clue_gpa, page, roots);
    if (n == 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "gpa %#" PRIx64 " is no root table any more",
                                clue_gpa);
    for (size_t i = 0; i < n; i++) {
        struct memctx_error why = MEMCTX_ERROR_INIT;
        if (try_root_and_lead(quest, &roots[i], &kernel, &why) == 0) {
            kernel.clue_gpa =
                is_own_clue(quest->map, &kernel) ? kernel.kcr3 : clue_gpa;
            *ret = kernel;
            return 0;
        }
        if (err != NULL && (i == 0 || quest->passed > best))
            *err = why;
        best = (unsigned)memctx_max(best, quest->passed);
        if (why.class == MEMCTX_GONE)
            break;
    }
    quest->passed = best;
    return -1;
}

const struct memctx_guest_ops memctx_windows_ops = {
    .name = "windows",
    .sought = "low stub or page table that maps itself",
    .os = MEMCTX_OS_WINDOWS,
    .follow = memctx_windows_follow,
    .likely = {0, 16 * MEMCTX_MIB},
    .scan = memctx_windows_scan,
    .verify = verify,
    .clocks = memctx_windows_clocks,
};
