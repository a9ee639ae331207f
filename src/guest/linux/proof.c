/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows VMCOREINFO to the root page table and proves the root by walking it.
 * Must not believe a single number of the text unproved: the text may be a copy
 * in the page cache, or a kernel's that no longer runs. */
#include "guest/linux/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "guest/linux/root.h"
#include "paging/paging.h"

/* struct new_utsname: six arrays of 65 bytes (include/uapi/linux/utsname.h) */
#define UTS_FIELD 65u
#define UTS_RELEASE (2 * UTS_FIELD)
#define UTS_LEN (3 * UTS_FIELD)

/* Before 5.11 the offset is not exported; the name follows a struct kref. */
#define UTS_NAME_OLD 4u
#define UTS_NAME_SANE 256u

/* A candidate on its way through the checks. */
struct candidate {
    const struct memctx_rammap *map;
    struct memctx_vmcoreinfo info;
    struct memctx_linux_root root;
};

typedef int check_fn(const struct candidate *candidate,
                     struct memctx_error *err);

static uint64_t
value_of(const struct candidate *c, enum memctx_vmcoreinfo_key key)
{
    return c->info.value[key];
}

/* What arithmetic says; the walk has to say the same. */
static uint64_t
image_gpa(const struct candidate *c, uint64_t gva)
{
    return gva + c->root.to_gpa;
}

/* Walk a gva of the kernel image and demand the gpa that phys_base gives. */
static int
walk_image(const struct candidate *c, const char *symbol, uint64_t gva,
           struct memctx_walk *walk, struct memctx_error *err)
{
    if (memctx_paging_walk(c->map, c->root.paging, c->root.root_gpa, gva, walk,
                           err) < 0)
        return memctx_error_prefix(err, "%s", symbol);
    if (walk->gpa != image_gpa(c, gva))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "%s: walk gives gpa %#" PRIx64
                                ", arithmetic gives %#" PRIx64,
                                symbol, walk->gpa, image_gpa(c, gva));
    return 0;
}

static int
check_self_map(const struct candidate *c, struct memctx_error *err)
{
    struct memctx_walk walk;
    return walk_image(c, "swapper_pg_dir", value_of(c, MEMCTX_VMCI_SWAPPER),
                      &walk, err);
}

/* How a root's entries cut the address space. PAE's have no user bit: there the
 * kernel's own root has nothing for user space at all. */
static const struct half {
    unsigned entry_size; /* bytes */
    unsigned shift;      /* an entry stands for 2^shift bytes */
    uint64_t user_bit;
} halves[MEMCTX_PAGINGS] = {
    [MEMCTX_PAGING_X86_64_4LEVEL] = {8, 55, MEMCTX_PTE_USER},
    [MEMCTX_PAGING_X86_64_5LEVEL] = {8, 55, MEMCTX_PTE_USER},
    [MEMCTX_PAGING_X86_PAE] = {8, 30, MEMCTX_PTE_PRESENT},
    [MEMCTX_PAGING_X86_2LEVEL] = {4, 22, MEMCTX_PTE_USER},
};

/* The kernel's own root maps nothing for user space; a task's root, which
 * maps the kernel just as well, does. */
static int
check_user_half(const struct candidate *c, struct memctx_error *err)
{
    unsigned char half[MEMCTX_PAGE_SIZE];
    const struct half *h = &halves[c->root.paging];
    size_t n = (size_t)(c->root.kernel_gva >> h->shift);
    size_t len = memctx_min(n * h->entry_size, sizeof(half));
    if (memctx_rammap_read(c->map, c->root.root_gpa, half, len, err) < 0)
        return memctx_error_prefix(err, "root");
    for (size_t i = 0; i + h->entry_size <= len; i += h->entry_size) {
        uint64_t entry =
            h->entry_size == 4 ? memctx_le32(half + i) : memctx_le64(half + i);
        if ((entry & MEMCTX_PTE_PRESENT) != 0 && (entry & h->user_bit) != 0)
            return memctx_error_set(err, MEMCTX_RETRY,
                                    "root entry %zu is user space: %#" PRIx64,
                                    i / h->entry_size, entry);
    }
    return 0;
}

static int
check_text(const struct candidate *c, struct memctx_error *err)
{
    uint64_t stext = value_of(c, MEMCTX_VMCI_STEXT);
    struct memctx_walk walk;
    if (walk_image(c, "_stext", stext, &walk, err) < 0)
        return -1;
    if (!walk.executable || walk.user)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "_stext is not mapped as kernel code");
    if (!memctx_rammap_contains(c->map, walk.gpa, MEMCTX_PAGE_SIZE))
        return memctx_error_set(err, MEMCTX_RETRY, "_stext is not in RAM");
    return 0;
}

/* The release that the running kernel tells its own users. */
static int
check_uts(const struct candidate *c, struct memctx_error *err)
{
    uint64_t offset = memctx_vmcoreinfo_has(&c->info, MEMCTX_VMCI_UTS_NAME)
                          ? value_of(c, MEMCTX_VMCI_UTS_NAME)
                          : UTS_NAME_OLD;
    if (offset > UTS_NAME_SANE)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "uts_namespace.name at offset %" PRIu64
                                ", at most %u is sane",
                                offset, UTS_NAME_SANE);
    char uts[UTS_LEN];
    if (memctx_paging_read(c->map, c->root.paging, c->root.root_gpa,
                           value_of(c, MEMCTX_VMCI_UTS) + offset, uts,
                           sizeof(uts), err) < 0)
        return memctx_error_prefix(err, "init_uts_ns");
    if (strncmp(uts, "Linux", UTS_FIELD) != 0 ||
        strncmp(uts + UTS_RELEASE, c->info.release, UTS_FIELD) != 0)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "init_uts_ns does not hold release %s",
                                c->info.release);
    return 0;
}

/* All must pass, in this order: the cheap and telling ones first. */
static const struct {
    const char *name;
    check_fn *run;
    bool both_halves; /* only of a root that also serves user space */
} checks[] = {
    {"self-map", check_self_map, false},
    {"user-half", check_user_half, true},
    {"text", check_text, false},
    {"uts", check_uts, false},
};

/* Run all checks; the names of those passed stand in `passed`. */
static int
prove(struct memctx_session *session, const struct candidate *c,
      char passed[MEMCTX_CHECKS_MAX], struct memctx_error *err)
{
    session->passed = 0;
    passed[0] = '\0';
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(checks); i++) {
        if (checks[i].both_halves && c->root.kernel_gva == 0)
            continue;
        if (checks[i].run(c, err) < 0)
            return memctx_error_prefix(err, "check %s", checks[i].name);
        session->passed++;
        memctx_checks_add(passed, checks[i].name);
    }
    return 0;
}

/* The first possibility that passes all checks; else the error of the one that
 * came furthest. */
static int
prove_one(struct memctx_session *session, struct candidate *c,
          char passed[MEMCTX_CHECKS_MAX], struct memctx_error *err)
{
    struct memctx_linux_root roots[MEMCTX_LINUX_ROOTS_MAX];
    struct memctx_error why = MEMCTX_ERROR_INIT;
    unsigned furthest = 0;
    int n = memctx_linux_roots(c->map, &c->info, roots, err);
    if (n < 0)
        return -1;
    for (int i = 0; i < n; i++) {
        struct memctx_error this = MEMCTX_ERROR_INIT;
        c->root = roots[i];
        if (prove(session, c, passed, &this) == 0)
            return 0;
        if (i == 0 || session->passed > furthest)
            why = this;
        furthest = (unsigned)memctx_max(furthest, session->passed);
    }
    session->passed = furthest;
    return memctx_error_set(err, why.kind, "%s", why.message);
}

static void
describe(const struct candidate *c, struct memctx_kernel *kernel)
{
    kernel->os = MEMCTX_OS_LINUX;
    kernel->paging = c->root.paging;
    kernel->kcr3 = c->root.root_gpa;
    snprintf(kernel->version, sizeof(kernel->version), "%s", c->info.release);
    snprintf(kernel->identity, sizeof(kernel->identity), "%s",
             c->info.build_id);
    kernel->base_gva = c->root.base_gva;
    kernel->linux_facts.has_phys_base =
        memctx_vmcoreinfo_has(&c->info, MEMCTX_VMCI_PHYS_BASE);
    kernel->linux_facts.phys_base = (int64_t)value_of(c, MEMCTX_VMCI_PHYS_BASE);
    kernel->linux_facts.has_kimage_voffset = memctx_linux_is_aarch64(&c->info);
    kernel->linux_facts.kimage_voffset =
        value_of(c, MEMCTX_VMCI_KIMAGE_VOFFSET);
    kernel->linux_facts.has_kaslr_offset =
        memctx_vmcoreinfo_has(&c->info, MEMCTX_VMCI_KERNELOFFSET);
    kernel->linux_facts.kaslr_offset = value_of(c, MEMCTX_VMCI_KERNELOFFSET);
}

/* RAM that begins at GPA 0 is that of another machine than ARM's usual one. */
static void
note_machine(struct memctx_session *session, const struct candidate *c)
{
    if (memctx_linux_is_aarch64(&c->info) &&
        memctx_rammap_contains(c->map, 0, MEMCTX_PAGE_SIZE))
        session->ram_gpa = MEMCTX_LINUX_ARM_RAM;
}

int
memctx_linux_prove(struct memctx_session *session,
                   const struct memctx_vmcoreinfo *info,
                   struct memctx_kernel *ret, struct memctx_error *err)
{
    struct candidate c = {.map = session->map, .info = *info};
    struct memctx_kernel kernel = {.os = MEMCTX_OS_LINUX};
    if (prove_one(session, &c, kernel.checks, err) < 0) {
        note_machine(session, &c);
        return -1;
    }
    describe(&c, &kernel);
    *ret = kernel;
    return 0;
}
