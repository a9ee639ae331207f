/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tells from the bytes of a page whether it may be a root. Every page of RAM
 * passes here, so the test that nearly all fail is a fast one.
 *
 * Windows maps its page tables through an entry of the root that leads to the
 * root itself: at 0x1ed before build 14393, at random in the upper half from
 * there on; on 32 bits at 0xc0000000. No other system on x86 does so. On
 * aarch64 it is as on x86-64, seen in public logs of builds 22631 to 25398. */
#include "guest/windows/roots.h"

#include <string.h>

#include "base/bytes.h"

#define HALF 2048u /* bytes of a root that map the kernel's half */

/* An entry that leads to a table: present, writable, and not bit 7. */
#define TABLE_MASK UINT64_C(0x83)
#define TABLE_BITS UINT64_C(0x03)
#define FRAME_LOW UINT32_C(0xfffff000) /* of the lower 32 bits */

/* The self reference on aarch64: a table (Arm ARM D8.3) with attributes of
 * pages, which only it needs: PXN, UXN, memory of kind 0, not for EL0. */
#define ARM_SELF_MASK UINT64_C(0x0063fffffffff0f3)
#define ARM_SELF_BITS UINT64_C(0x0060000000000003)
#define ARM_UPPER 0x800u

/* The self reference of two levels: page directory entry 0x300. */
#define OLD_SELF_AT (0x300u * 4)

/* RAM in which Windows keeps its low stub, by which other processors start. */
#define LOW_GPA 0x1000u
#define LOW_END 0xa0000u

/* PROCESSOR_START_BLOCK (amd64.h of the Windows Research Kernel): a jump, then
 * CompletionFlag, and in a KPROCESSOR_STATE from 0x90 on CR3 and CR4. There is
 * a second CR3 at 0x58, of tables that map only a little: not the kernel's. */
#define STUB_MASK UINT64_C(0xffffffffff0000ff)
#define STUB_START UINT64_C(0x00000001000000e9)
#define STUB_LM_TARGET 0x70u
#define STUB_CR3 0xa0u
#define STUB_CR4 0xa8u
#define STUB_LEN 0xb0u
#define CR4_LA57 (UINT64_C(1) << 12)

/* Entries of a PAE root: bits that must be as shown (SDM table 4-8, without
 * bit 5, which TCG sets as the accessed bit of any other table). */
#define PAE_ENTRIES 4u
#define PAE_MASK UINT64_C(0xfff00000000001c7)
#define PAE_BITS UINT64_C(1)

const char *
memctx_windows_clue_name(enum memctx_windows_clue clue)
{
    static const char *const names[MEMCTX_WINDOWS_CLUES] = {
        [MEMCTX_WINDOWS_CLUE_LOW_STUB] = "low-stub",
        [MEMCTX_WINDOWS_CLUE_PAE_ROOT] = "pae-root",
        [MEMCTX_WINDOWS_CLUE_SELF_MAP] = "self-map",
    };
    return names[clue];
}

static bool
is_la57(const unsigned char *stub)
{
    return (memctx_le64(stub + STUB_CR4) & CR4_LA57) != 0;
}

static bool
is_stub(uint64_t gpa, const unsigned char *page)
{
    uint64_t half_gva = UINT64_MAX << (is_la57(page) ? 56 : 47);
    return gpa >= LOW_GPA && gpa < LOW_END &&
           (memctx_le64(page) & STUB_MASK) == STUB_START &&
           memctx_le64(page + STUB_LM_TARGET) >= half_gva &&
           (memctx_le64(page + STUB_CR3) & MEMCTX_PTE_FRAME) != 0 &&
           memctx_le64(page + STUB_CR3) >> 52 == 0;
}

/* Does any 32-bit word of the upper half have the lower half of an entry that
 * leads to `gpa`, here or where RAM begins with MEMCTX_WINDOWS_ARM_RAM? Four
 * words at a time; what passes is looked at closely. */
static bool
may_refer_to(uint64_t gpa, const unsigned char *page)
{
    typedef uint32_t words __attribute__((vector_size(16)));
    const uint32_t any = (uint32_t)MEMCTX_WINDOWS_ARM_RAM;
    const uint32_t low = ((uint32_t)gpa & ~any) | (uint32_t)TABLE_BITS;
    const uint32_t bits = (FRAME_LOW & ~any) | (uint32_t)TABLE_MASK;
    const words wanted = {low, low, low, low};
    const words mask = {bits, bits, bits, bits};
    words hits = {0};
    for (size_t at = HALF; at < 2 * HALF; at += 64) {
        words w[4];
        memcpy(w, page + at, sizeof(w));
        hits |= (words)((w[0] & mask) == wanted);
        hits |= (words)((w[1] & mask) == wanted);
        hits |= (words)((w[2] & mask) == wanted);
        hits |= (words)((w[3] & mask) == wanted);
    }
    return (hits[0] | hits[1] | hits[2] | hits[3]) != 0;
}

int
memctx_windows_self_index(uint64_t gpa, const unsigned char *page)
{
    for (int i = 256; i < 512; i++) {
        uint64_t entry = memctx_le64(page + (size_t)i * 8);
        if ((entry & (MEMCTX_PTE_FRAME | TABLE_MASK)) == (gpa | TABLE_BITS))
            return i;
    }
    return -1;
}

static bool
is_arm_self(uint64_t gpa, const unsigned char *page, int index)
{
    uint64_t entry = memctx_le64(page + (size_t)index * 8);
    return (entry & ARM_SELF_MASK) == (gpa | ARM_SELF_BITS);
}

/* Where would this page be if RAM began elsewhere? */
static uint64_t
elsewhere(uint64_t gpa)
{
    return gpa + MEMCTX_WINDOWS_ARM_RAM;
}

static bool
is_self_elsewhere(uint64_t gpa, const unsigned char *page)
{
    uint64_t there = elsewhere(gpa);
    int index = memctx_windows_self_index(there, page);
    return index >= 0 && is_arm_self(there, page, index);
}

bool
memctx_windows_roots_is_from(const struct memctx_rammap *map, uint64_t clue_gpa,
                             const unsigned char *page)
{
    return !memctx_rammap_contains(map, elsewhere(clue_gpa),
                                   MEMCTX_PAGE_SIZE) &&
           is_self_elsewhere(clue_gpa, page);
}

uint64_t
memctx_windows_root_offset(enum memctx_paging paging)
{
    return paging == MEMCTX_PAGING_AARCH64_4K_47 ? ARM_UPPER : 0;
}

static bool
is_old_root(uint64_t gpa, const unsigned char *page)
{
    uint32_t entry = memctx_le32(page + OLD_SELF_AT);
    return gpa <= UINT32_MAX &&
           (entry & (FRAME_LOW | TABLE_MASK)) == (gpa | TABLE_BITS);
}

/* Four tables, of which no two are one; those of the user's half may be
 * missing. */
static bool
is_pae_root(const unsigned char *page)
{
    uint64_t entry[PAE_ENTRIES];
    for (size_t i = 0; i < PAE_ENTRIES; i++) {
        entry[i] = memctx_le64(page + 8 * i);
        if (i < PAE_ENTRIES / 2 && entry[i] == 0)
            continue;
        if ((entry[i] & PAE_MASK) != PAE_BITS ||
            (entry[i] & MEMCTX_PTE_FRAME) == 0)
            return false;
        for (size_t k = 0; k < i; k++) {
            if (((entry[i] ^ entry[k]) & MEMCTX_PTE_FRAME) == 0)
                return false;
        }
    }
    return true;
}

static bool
is_clue(uint64_t gpa, const unsigned char *page)
{
    if ((page[24] & PAE_MASK) == PAE_BITS && is_pae_root(page))
        return true;
    if (gpa < LOW_END && is_stub(gpa, page))
        return true;
    return may_refer_to(gpa, page) &&
           (memctx_windows_self_index(gpa, page) >= 0 ||
            is_old_root(gpa, page) || is_self_elsewhere(gpa, page));
}

void
memctx_windows_scan(const struct memctx_block *block, memctx_clue_fn *clue,
                    void *arg)
{
    size_t first =
        (MEMCTX_PAGE_SIZE - block->gpa % MEMCTX_PAGE_SIZE) % MEMCTX_PAGE_SIZE;
    for (size_t at = first; at + MEMCTX_PAGE_SIZE <= block->len_bytes;
         at += MEMCTX_PAGE_SIZE) {
        if (is_clue(block->gpa + at, block->bytes + at) &&
            !clue(block->gpa + at, arg))
            return;
    }
}

uint64_t
memctx_windows_follow(const struct memctx_rammap *map, memctx_clue_fn *clue,
                      void *arg)
{
    uint64_t bytes = 0;
    uint64_t start;
    uint64_t end;
    /* Bounded: each turn moves on by a page, the last one ends at LOW_END. */
    for (uint64_t gpa = LOW_GPA;
         memctx_rammap_next_data(map, gpa, LOW_END, &start, &end);
         gpa = start + MEMCTX_PAGE_SIZE) {
        unsigned char head[STUB_LEN];
        start -= start % MEMCTX_PAGE_SIZE;
        bytes += sizeof(head);
        if (memctx_rammap_read(map, start, head, sizeof(head), NULL) == 0 &&
            is_stub(start, head) && !clue(start, arg))
            break;
    }
    return bytes;
}

/* Roots on their way to the caller. */
struct roots {
    struct memctx_windows_root *to;
    size_t n;
};

static void
add(struct roots *roots, uint64_t gpa, enum memctx_paging paging,
    enum memctx_windows_clue clue, const unsigned char *table)
{
    roots->to[roots->n++] =
        (struct memctx_windows_root){gpa, paging, clue, table};
}

size_t
memctx_windows_roots(uint64_t clue_gpa, const unsigned char *page,
                     struct memctx_windows_root *ret)
{
    const enum memctx_paging four = MEMCTX_PAGING_X86_64_4LEVEL;
    const enum memctx_paging five = MEMCTX_PAGING_X86_64_5LEVEL;
    const enum memctx_windows_clue self_map = MEMCTX_WINDOWS_CLUE_SELF_MAP;
    struct roots roots = {ret, 0};
    if (is_stub(clue_gpa, page)) {
        const enum memctx_windows_clue stub = MEMCTX_WINDOWS_CLUE_LOW_STUB;
        uint64_t gpa = memctx_le64(page + STUB_CR3) & MEMCTX_PTE_FRAME;
        bool la57 = is_la57(page);
        add(&roots, gpa, la57 ? five : four, stub, NULL);
        add(&roots, gpa, la57 ? four : five, stub, NULL);
    }
    int self = memctx_windows_self_index(clue_gpa, page);
    if (self >= 0 && is_arm_self(clue_gpa, page, self)) {
        add(&roots, clue_gpa + ARM_UPPER, MEMCTX_PAGING_AARCH64_4K_47, self_map,
            page);
    } else if (self >= 0) {
        add(&roots, clue_gpa, four, self_map, page);
        add(&roots, clue_gpa, five, self_map, page);
    }
    if (is_pae_root(page))
        add(&roots, clue_gpa, MEMCTX_PAGING_X86_PAE,
            MEMCTX_WINDOWS_CLUE_PAE_ROOT, page);
    if (is_old_root(clue_gpa, page))
        add(&roots, clue_gpa, MEMCTX_PAGING_X86_2LEVEL, self_map, page);
    return roots.n;
}

void
memctx_windows_rivals_add(struct memctx_rivals *rivals,
                          const struct memctx_windows_root *root, uint64_t mark,
                          bool likely)
{
    const struct memctx_rival rival = {
        .os = MEMCTX_OS_WINDOWS,
        .paging = root->paging,
        .root_gpa = root->gpa,
        .mark = mark,
        .is_named = likely && root->clue == MEMCTX_WINDOWS_CLUE_LOW_STUB,
    };
    size_t n = (size_t)memctx_min(rivals->n, MEMCTX_RIVALS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct memctx_rival *known = &rivals->rival[i];
        if (known->os != rival.os || known->paging != rival.paging ||
            known->mark != rival.mark)
            continue;
        if (rival.is_named || !known->is_named)
            *known = rival;
        return;
    }
    rivals->rival[rivals->n++ % MEMCTX_RIVALS_MAX] = rival;
}
