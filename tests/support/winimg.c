/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Windows-like RAM from code. Sources: public symbols of the builds (EPROCESS
 * offsets), ntddk.h (KUSER_SHARED_DATA), Microsoft's "PE Format", the Windows
 * Research Kernel's amd64.h (PROCESSOR_START_BLOCK). */
#include "winimg.h"

#include <stdlib.h>
#include <string.h>

#include "armimg.h"

/* On aarch64 tables have the attributes of pages, for the one that maps itself.
 */
#define ARM_TABLE UINT64_C(0x0060000000000f03)
#define ARM_UPPER 0x800u
#define ARM_ASID (UINT64_C(0x40) << 48)

#define TABLE (MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE | 0x60)
#define PAGE MEMCTX_PAGE_SIZE
#define CREATE_TIME 0x70u /* in an EPROCESS of no particular build */
#define LARGE_PAGE (2 * MEMCTX_MIB)

const struct winimg_build winimg_builds[] = {
    {7601, true, 6, 1, 0x28, 0x180, 0x188, 0x2e0, 0x110},
    {9200, true, 6, 2, 0x28, 0x2e0, 0x2e8, 0x438, 0},
    {9600, true, 6, 3, 0x28, 0x2e0, 0x2e8, 0x438, 0},
    {10240, true, 10, 0, 0x28, 0x2e8, 0x2f0, 0x448, 0x278},
    {10586, true, 10, 0, 0x28, 0x2e8, 0x2f0, 0x450, 0x278},
    {14393, true, 10, 0, 0x28, 0x2e8, 0x2f0, 0x450, 0x278},
    {15063, true, 10, 0, 0x28, 0x2e0, 0x2e8, 0x450, 0x278},
    {16299, true, 10, 0, 0x28, 0x2e0, 0x2e8, 0x450, 0x278},
    {17134, true, 10, 0, 0x28, 0x2e0, 0x2e8, 0x450, 0x278},
    {17763, true, 10, 0, 0x28, 0x2e0, 0x2e8, 0x450, 0x278},
    {18362, true, 10, 0, 0x28, 0x2e8, 0x2f0, 0x450, 0x280},
    {19041, true, 10, 0, 0x28, 0x440, 0x448, 0x5a8, 0x388},
    {19045, true, 10, 0, 0x28, 0x440, 0x448, 0x5a8, 0x388},
    {20348, true, 10, 0, 0x28, 0x440, 0x448, 0x5a8, 0x388},
    {22000, true, 10, 0, 0x28, 0x440, 0x448, 0x5a8, 0x388},
    {22621, true, 10, 0, 0x28, 0x440, 0x448, 0x5a8, 0x388},
    {26100, true, 10, 0, 0x28, 0x1d0, 0x1d8, 0x338, 0x158},
    {7601, false, 6, 1, 0x18, 0xb4, 0xb8, 0x16c, 0},
    {9600, false, 6, 3, 0x18, 0xb4, 0xb8, 0x170, 0},
    {10240, false, 10, 0, 0x18, 0xb4, 0xb8, 0x170, 0},
    {17763, false, 10, 0, 0x18, 0xb4, 0xb8, 0x17c, 0},
    {19041, false, 10, 0, 0x18, 0xe4, 0xe8, 0x1ac, 0},
    {0, false, 0, 0, 0, 0, 0, 0, 0},
};

const struct winimg_build *
winimg_build(unsigned build, bool wide)
{
    for (const struct winimg_build *b = winimg_builds; b->build != 0; b++) {
        if (b->build == build && b->wide == wide)
            return b;
    }
    return NULL;
}

static bool
is_arm(const struct winimg *w)
{
    return w->paging == MEMCTX_PAGING_AARCH64_4K_47;
}

static bool
is_wide(const struct winimg *w)
{
    return w->paging == MEMCTX_PAGING_X86_64_4LEVEL ||
           w->paging == MEMCTX_PAGING_X86_64_5LEVEL || is_arm(w);
}

static void
move_to_virt(struct winimg *w)
{
    w->root_gpa += MEMCTX_GIB + ARM_UPPER;
    w->tables_gpa += MEMCTX_GIB;
    w->image_gpa += MEMCTX_GIB;
    w->stub_gpa = 0;
}

struct winimg
winimg(unsigned build, enum memctx_paging paging)
{
    struct winimg w = {
        .paging = paging,
        .stage = WINIMG_READY,
        .root_gpa = 0x1ad000,
        .tables_gpa = 0x200000,
        .image_gpa = 32 * MEMCTX_MIB,
        .large_pages = true,
        .self_index = 0x1ed,
        .stub_gpa = 0x13000,
        .time = UINT64_C(133500000000000000),
        .uptime = UINT64_C(6000000000),
        .user_flags = 1,
        .export_as = "ntoskrnl.exe",
        .pdb = "ntkrnlmp.pdb",
        .n_processes = 3,
    };
    w.build = winimg_build(build, is_wide(&w));
    w.base_gva = is_wide(&w) ? UINT64_C(0xfffff80312400000) : 0x82800000;
    w.pool_gva = is_wide(&w) ? UINT64_C(0xffffce849b2f0000) : 0x86400000;
    if (!is_wide(&w))
        w.stub_gpa = 0;
    if (is_arm(&w))
        move_to_virt(&w);
    return w;
}

static unsigned
word_of(const struct winimg *w)
{
    return is_wide(w) ? 8 : 4;
}

static struct guestimg_space
space_of(const struct winimg *w, uint64_t root_gpa)
{
    static const int levels[MEMCTX_PAGINGS] = {
        [MEMCTX_PAGING_X86_64_4LEVEL] = 4,
        [MEMCTX_PAGING_X86_64_5LEVEL] = 5,
        [MEMCTX_PAGING_X86_PAE] = 3,
        [MEMCTX_PAGING_X86_2LEVEL] = 2,
    };
    return (struct guestimg_space){root_gpa, levels[w->paging]};
}

static void
put(unsigned char *to, uint64_t value, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static void
write_number(const struct guestimg *img, uint64_t gpa, uint64_t value,
             unsigned len)
{
    unsigned char raw[8];
    put(raw, value, 8);
    guestimg_write(img, gpa, raw, len);
}

/* A page of memory that nobody has. */
static uint64_t
take_page(struct guestimg *img)
{
    uint64_t gpa = img->free_gpa;
    img->free_gpa += PAGE;
    return gpa;
}

/* ---- tables ------------------------------------------------------------ */

/* The page that a root is, or is a part of. */
static uint64_t
root_page(const struct winimg *w)
{
    return is_arm(w) ? w->root_gpa - ARM_UPPER : w->root_gpa;
}

static uint64_t
table_bits(const struct winimg *w)
{
    return is_arm(w) ? ARM_TABLE : TABLE;
}

static struct armimg_space
arm_space_of(const struct winimg *w)
{
    return (struct armimg_space){w->root_gpa, 12, 47, ARM_TABLE & ~3};
}

/* Map pages from gva on, of the size `step` each; `flags` as on x86. */
static void
map_range(struct guestimg *img, const struct winimg *w, uint64_t gva,
          uint64_t gpa, uint64_t size, uint64_t step, uint64_t flags)
{
    struct armimg_space arm = arm_space_of(w);
    struct guestimg_space space = space_of(w, w->root_gpa);
    uint64_t rights = ARMIMG_AF | ARMIMG_UXN;
    rights |= (flags & MEMCTX_PTE_WRITE) == 0 ? ARMIMG_RDONLY : 0;
    rights |= (flags & MEMCTX_PTE_NX) != 0 ? ARMIMG_PXN : 0;
    if (!is_arm(w))
        guestimg_map_range(img, &space, gva, gpa, size, step, flags);
    for (uint64_t at = 0; is_arm(w) && at < size; at += step)
        armimg_map(img, &arm, gva + at, gpa + at, step == PAGE ? 1 : 2, rights);
}

/* The four directories exist from the beginning; the last maps them all. */
static void
write_pae_root(struct guestimg *img, const struct winimg *w)
{
    uint64_t directory[4];
    for (unsigned i = 0; i < 4; i++) {
        directory[i] = take_page(img);
        guestimg_write_le64(img, w->root_gpa + 8 * i,
                            directory[i] | MEMCTX_PTE_PRESENT);
    }
    for (unsigned i = 0; i < 4; i++)
        guestimg_write_le64(img, directory[3] + 8 * i, directory[i] | TABLE);
}

static void
write_self_map(struct guestimg *img, const struct winimg *w, uint64_t page_gpa)
{
    if (w->self_index == 0)
        return;
    if (w->paging == MEMCTX_PAGING_X86_2LEVEL)
        write_number(img, page_gpa + 0x300 * 4, page_gpa | TABLE, 4);
    else
        guestimg_write_le64(img, page_gpa + w->self_index * 8,
                            page_gpa | table_bits(w) |
                                (is_arm(w) ? 0 : MEMCTX_PTE_NX));
}

static void
write_root(struct guestimg *img, const struct winimg *w)
{
    uint64_t start = is_arm(w) ? MEMCTX_GIB : 0;
    guestimg_write(img, w->root_gpa, "", 1);
    if (w->paging == MEMCTX_PAGING_X86_PAE)
        write_pae_root(img, w);
    else
        write_self_map(img, w, root_page(w));
    if (w->user_half && is_arm(w))
        guestimg_write_le64(img, root_page(w), take_page(img) | ARM_TABLE);
    else if (w->user_half)
        map_range(img, w, 0x1d0000, 0x1d0000, PAGE, PAGE,
                  MEMCTX_PTE_PRESENT | MEMCTX_PTE_USER);
    /* What the loader needs: a page it runs from, and its own image. */
    map_range(img, w, is_wide(w) ? UINT64_C(0xfffff80000100000) : 0x80100000,
              start + 0x100000, PAGE, PAGE, MEMCTX_PTE_PRESENT);
}

/* ---- image ------------------------------------------------------------- */

static uint64_t
image_gpa(const struct winimg *w, uint64_t rva)
{
    return w->image_gpa + rva;
}

static void
map_image(struct guestimg *img, const struct winimg *w)
{
    uint64_t step = !w->large_pages                         ? PAGE
                    : w->paging == MEMCTX_PAGING_X86_2LEVEL ? 2 * LARGE_PAGE
                                                            : LARGE_PAGE;
    /* An image need not begin where a large page does. */
    uint64_t into = w->base_gva % step;
    map_range(img, w, w->base_gva - into, w->image_gpa - into,
              WINIMG_SIZE + (into > 0 ? step : 0), step,
              MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE);
}

/* Sections in order of their addresses. Windows pages those out whose name
 * begins with PAGE or .eda. */
static const struct {
    char name[9];
    unsigned rva;
    unsigned size;
} sections[] = {
    {".text", WINIMG_TEXT, 0x2000},   {"POOLCODE", 0x3000, 0x1000},
    {".edata", WINIMG_EDATA, 0x2000}, {"PAGE", 0x6000, 0x3000},
    {".rdata", WINIMG_DEBUG, 0x1000}, {"ALMOSTRO", WINIMG_DATA, 0x1000},
    {".data", 0xb000, 0x2000},
};

static void
write_sections(const struct winimg *w, unsigned char *at)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(sections); i++, at += 40) {
        if (w->only_data && sections[i].name[0] != '.')
            continue;
        memcpy(at, sections[i].name, 8);
        put(at + 8, sections[i].size, 4);
        put(at + 12, sections[i].rva, 4);
    }
}

static void
write_headers(const struct guestimg *img, const struct winimg *w)
{
    unsigned char page[PAGE] = {'M', 'Z'};
    bool wide = is_wide(w);
    unsigned char *pe = page + 0xf0;
    unsigned char *optional = pe + 24;
    unsigned char *directory = optional + (wide ? 112 : 96);
    put(page + 0x3c, 0xf0, 4);
    put(pe, 0x4550, 4);
    put(pe + 4, is_arm(w) ? 0xaa64 : wide ? 0x8664 : 0x14c, 2);
    put(pe + 6, MEMCTX_ARRAY_LEN(sections), 2);
    put(pe + 20, wide ? 0xf0 : 0xe0, 2);
    write_sections(w, optional + (wide ? 0xf0 : 0xe0));
    put(optional, wide ? 0x20b : 0x10b, 2);
    put(optional + 56, WINIMG_SIZE, 4);
    put(directory - 4, 16, 4);
    put(directory, WINIMG_EDATA, 4);
    put(directory + 4, 0x2000, 4);
    if (w->pdb != NULL) {
        put(directory + 48, WINIMG_DEBUG, 4);
        put(directory + 52, 56, 4);
    }
    guestimg_write(img, image_gpa(w, 0), page, sizeof(page));
}

/* Two debug entries: one of another type first. */
static void
write_debug(const struct guestimg *img, const struct winimg *w)
{
    static const unsigned char guid[16] = {
        0x0a, 0x04, 0x11, 0x8b, 0x28, 0x59, 0x7b, 0x75,
        0x11, 0x39, 0x0a, 0xc7, 0x8f, 0x6b, 0x69, 0x25,
    };
    unsigned char raw[256] = {0};
    if (w->pdb == NULL)
        return;
    put(raw + 12, 16, 4);
    put(raw + 28 + 12, 2, 4);
    put(raw + 28 + 20, WINIMG_DEBUG + 0x80, 4);
    memcpy(raw + 0x80, "RSDS", 4);
    memcpy(raw + 0x84, guid, sizeof(guid));
    put(raw + 0x94, 1, 4);
    memcpy(raw + 0x98, w->pdb, strlen(w->pdb) + 1);
    guestimg_write(img, image_gpa(w, WINIMG_DEBUG), raw, sizeof(raw));
}

/* Exports in order of their names, and where they lie. */
static const struct {
    const char *name;
    unsigned rva;
} exports[] = {
    {"ExAllocatePool2", WINIMG_TEXT + 0xf00},
    {"KeBugCheckEx", WINIMG_TEXT + 0xf80},
    {"NtBuildNumber", WINIMG_DATA + 0x20},
    {"PsGetProcessCreateTimeQuadPart", WINIMG_TEXT + 0x240},
    {"PsGetProcessId", WINIMG_TEXT + 0x100},
    {"PsGetProcessImageFileName", WINIMG_TEXT + 0x180},
    {"PsGetProcessPeb", WINIMG_TEXT + 0x200},
    {"PsInitialSystemProcess", WINIMG_DATA},
    {"PsLoadedModuleList", WINIMG_DATA + 0x40},
    {"ZwClose", WINIMG_TEXT + 0xfc0},
};

static void
write_exports(const struct guestimg *img, const struct winimg *w)
{
    unsigned char raw[0x2000] = {0};
    unsigned names = WINIMG_NAMES - WINIMG_EDATA;
    unsigned n = 0;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(exports); i++) {
        if (w->without != NULL && strcmp(w->without, exports[i].name) == 0)
            continue;
        /* Functions stand in another order than their names. */
        unsigned ordinal = (unsigned)MEMCTX_ARRAY_LEN(exports) - 1 - n;
        put(raw + 0x100 + 4 * ordinal, exports[i].rva, 4);
        put(raw + 0x200 + 4 * n, WINIMG_EDATA + names, 4);
        put(raw + 0x300 + 2 * n, ordinal, 2);
        memcpy(raw + names, exports[i].name, strlen(exports[i].name) + 1);
        names += (unsigned)strlen(exports[i].name) + 1;
        n++;
    }
    put(raw + 12, WINIMG_EDATA + 0x40, 4);
    memcpy(raw + 0x40, w->export_as, strlen(w->export_as) + 1);
    put(raw + 16, 1, 4);
    put(raw + 20, MEMCTX_ARRAY_LEN(exports), 4);
    put(raw + 24, n, 4);
    put(raw + 28, WINIMG_EDATA + 0x100, 4);
    put(raw + 32, WINIMG_EDATA + 0x200, 4);
    put(raw + 36, WINIMG_EDATA + 0x300, 4);
    guestimg_write(img, image_gpa(w, WINIMG_EDATA), raw, sizeof(raw));
}

/* Append bytes to code; returns the new length. */
static size_t
emit(unsigned char *code, size_t at, const void *bytes, size_t len)
{
    memcpy(code + at, bytes, len);
    return at + len;
}

/* mov rax,[rcx+disp] or lea rax,[rcx+disp]; the same for 32 bits with the
 * argument on the stack. */
static size_t
emit_getter(unsigned char *code, size_t at, bool wide, bool address,
            unsigned offset)
{
    unsigned char disp[4];
    put(disp, offset, 4);
    if (wide) {
        at = emit(code, at, address ? "\x48\x8d\x81" : "\x48\x8b\x81", 3);
        at = emit(code, at, disp, 4);
        return emit(code, at, "\xc3", 1);
    }
    at = emit(code, at, "\x8b\xff\x55\x8b\xec\x8b\x45\x08", 8);
    at = emit(code, at, address ? "\x05" : "\x8b\x80", address ? 1 : 2);
    at = emit(code, at, disp, 4);
    return emit(code, at, "\x5d\xc2\x04\x00", 4);
}

/* ldr x0,[x0,#offset] or add x0,x0,#offset; ret; behind bti c and pacibsp, or a
 * jump. */
static void
emit_arm_getter(unsigned char *code, const struct winimg *w, bool address,
                unsigned offset)
{
    size_t at = 0;
    unsigned char field[4];
    put(field,
        address ? 0x91000000u | offset << 10 : 0xf9400000u | offset / 8 << 10,
        4);
    if (w->code == WINIMG_CODE_PADDED)
        at = emit(code, at, "\x5f\x24\x03\xd5\x7f\x23\x03\xd5", 8);
    if (w->code == WINIMG_CODE_THUNK) {
        emit(code, at, "\x08\x00\x00\x14", 4);
        at = 0x20;
    }
    if (w->code == WINIMG_CODE_OPAQUE)
        at = emit(code, at, "\x04\x00\x00\x94", 4);
    at = emit(code, at, field, 4);
    emit(code, at, "\xc0\x03\x5f\xd6", 4);
}

static void
write_arm_getter(const struct guestimg *img, const struct winimg *w,
                 unsigned rva, bool address, unsigned offset)
{
    unsigned char code[64] = {0};
    emit_arm_getter(code, w, address,
                    offset + (w->code == WINIMG_CODE_WRONG ? 0x10 : 0));
    guestimg_write(img, image_gpa(w, rva), code, sizeof(code));
}

static void
write_getter(const struct guestimg *img, const struct winimg *w, unsigned rva,
             bool address, unsigned offset)
{
    bool wide = is_wide(w);
    unsigned char code[64];
    if (is_arm(w)) {
        write_arm_getter(img, w, rva, address, offset);
        return;
    }
    size_t at = 0;
    memset(code, 0xcc, sizeof(code));
    if (w->code == WINIMG_CODE_PADDED)
        at = wide ? emit(code, at, "\xf3\x0f\x1e\xfa\x66\x90", 6)
                  : emit(code, at, "\x8b\xff\x90\x90", 4);
    if (w->code == WINIMG_CODE_PADDED)
        at = emit(code, at, "\x0f\x1f\x44\x00\x00", 5);
    if (w->code == WINIMG_CODE_THUNK) {
        emit(code, at, "\xeb\x1e", 2);
        at = 0x20;
    }
    if (w->code == WINIMG_CODE_OPAQUE)
        at = emit(code, at, "\xe8\x10\x00\x00\x00", 5);
    if (w->code == WINIMG_CODE_WRONG)
        offset += 0x10;
    emit_getter(code, at, wide, address, offset);
    guestimg_write(img, image_gpa(w, rva), code, sizeof(code));
}

static void
write_bytes_of_image(const struct guestimg *img, const struct winimg *w)
{
    write_headers(img, w);
    write_debug(img, w);
    write_exports(img, w);
    write_getter(img, w, WINIMG_TEXT + 0x100, false, w->build->pid);
    write_getter(img, w, WINIMG_TEXT + 0x180, true, w->build->image_name);
    write_getter(img, w, WINIMG_TEXT + 0x240, false, CREATE_TIME);
    write_number(img, image_gpa(w, WINIMG_DATA + 0x20),
                 UINT32_C(0xf0000000) | w->build->build, 4);
}

static void
write_image(struct guestimg *img, struct winimg *w)
{
    map_image(img, w);
    write_bytes_of_image(img, w);
    w->pointer_gpa = image_gpa(w, WINIMG_DATA);
    w->head_gva = w->base_gva + WINIMG_DATA + 0x80;
}

/* ---- shared page and low stub ------------------------------------------- */

static void
write_times(const struct guestimg *img, const struct winimg *w)
{
    write_number(img, w->kuser_gpa + 0x08, w->uptime, 8);
    write_number(img, w->kuser_gpa + 0x10, w->uptime >> 32, 4);
    write_number(img, w->kuser_gpa + 0x14, w->time, 8);
    write_number(img, w->kuser_gpa + 0x1c, w->time >> 32, 4);
    write_number(img, w->kuser_gpa + 0x320, w->uptime / 156250, 8);
}

static void
write_kuser(struct guestimg *img, struct winimg *w)
{
    static const char root[] = "C\0:\0\\\0W\0i\0n\0d\0o\0w\0s\0";
    if (w->shares_kuser != 0)
        w->kuser_gpa = w->shares_kuser;
    if (w->kuser_gpa == 0)
        w->kuser_gpa = take_page(img);
    map_range(img, w, is_wide(w) ? UINT64_C(0xfffff78000000000) : 0xffdf0000,
              w->kuser_gpa, PAGE, PAGE, MEMCTX_PTE_PRESENT);
    guestimg_write(img, w->kuser_gpa + 0x30, root, sizeof(root));
    if (w->build->build >= 10240)
        write_number(img, w->kuser_gpa + 0x260, w->build->build, 4);
    write_number(img, w->kuser_gpa + 0x264, 1, 4);
    write_number(img, w->kuser_gpa + 0x26c, w->build->major, 4);
    write_number(img, w->kuser_gpa + 0x270, w->build->minor, 4);
    write_times(img, w);
}

void
winimg_tick(const struct guestimg *img, struct winimg *w, uint64_t by)
{
    w->uptime += by;
    w->time += by;
    write_times(img, w);
}

void
winimg_write_stub(const struct guestimg *img, const struct winimg *w,
                  uint64_t gpa, uint64_t root_gpa)
{
    unsigned char page[0x100] = {0};
    bool five = w->paging == MEMCTX_PAGING_X86_64_5LEVEL;
    put(page, UINT64_C(0x00000001000600e9) | 0x4d00, 8);
    put(page + 0x58, gpa + PAGE, 8); /* TiledCr3 */
    put(page + 0x70,
        w->target_gva != 0 ? w->target_gva : w->base_gva + WINIMG_TEXT + 0x800,
        8);
    put(page + 0x78, UINT64_C(0xfffff7f00000c000), 8);
    put(page + 0x90, UINT64_C(0x80050033), 8);
    put(page + 0xa0, root_gpa, 8);
    put(page + 0xa8, UINT64_C(0x00350ef8) | (five ? 0x1000 : 0), 8);
    guestimg_write(img, gpa, page, sizeof(page));
}

void
winimg_write_self(const struct guestimg *img, uint64_t gpa, unsigned index,
                  unsigned n)
{
    guestimg_write_le64(img, gpa + 8 * index, gpa | TABLE);
    for (unsigned i = 0; i < n; i++)
        guestimg_write_le64(img, gpa + 8 * (0x1f0 + i), (gpa + PAGE) | TABLE);
}

/* ---- processes --------------------------------------------------------- */

static const char *const names[] = {"System", "Registry", "smss.exe",
                                    "csrss.exe", "fontdrvhost.ex"};

/* A root of a process' own: the kernel's half, and something for user space.
 * With KVA shadow the root for user space has no more than it needs. */
static uint64_t
write_process_root(struct guestimg *img, const struct winimg *w, bool shadow)
{
    uint64_t gpa = take_page(img);
    if (w->paging == MEMCTX_PAGING_X86_PAE) {
        for (unsigned i = 0; i < 4; i++)
            guestimg_write_le64(img, gpa + 8 * i,
                                guestimg_read_le64(img, w->root_gpa + 8 * i));
        return gpa;
    }
    for (unsigned i = 256; i < 512 && (!shadow || i % 2 == 0); i++)
        guestimg_write_le64(img, gpa + 8 * i,
                            guestimg_read_le64(img, root_page(w) + 8 * i));
    write_self_map(img, w, gpa);
    if (!shadow)
        write_number(img, gpa + 0x100,
                     take_page(img) | table_bits(w) |
                         (is_arm(w) ? 0 : MEMCTX_PTE_USER),
                     word_of(w));
    return gpa;
}

static void
place_process(struct guestimg *img, struct winimg *w, unsigned i)
{
    uint64_t gpa = take_page(img);
    uint64_t gva = w->pool_gva + i * PAGE;
    map_range(img, w, gva, gpa, PAGE, PAGE,
              MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE | MEMCTX_PTE_NX);
    w->eprocess_gva[i] = gva + 0x40;
    w->eprocess_gpa[i] = gpa + 0x40;
    w->dtb_gpa[i] = i == 0 ? root_page(w) : write_process_root(img, w, false);
}

/* Link i of the ring; behind the last process is the head. */
static uint64_t
link_gva(const struct winimg *w, unsigned i)
{
    i %= w->n_processes + 1;
    return i == w->n_processes ? w->head_gva
                               : w->eprocess_gva[i] + w->build->links;
}

static void
write_links(const struct guestimg *img, const struct winimg *w, unsigned i,
            uint64_t gpa)
{
    unsigned word = word_of(w);
    write_number(img, gpa, link_gva(w, i + 1), word);
    write_number(img, gpa + word, link_gva(w, i + w->n_processes), word);
}

static void
write_process(const struct guestimg *img, const struct winimg *w, unsigned i)
{
    uint64_t gpa = w->eprocess_gpa[i];
    unsigned word = word_of(w);
    uint64_t flags = is_arm(w) ? ARM_ASID : w->kva_shadow && is_wide(w) ? 2 : 0;
    const char *name = names[i % MEMCTX_ARRAY_LEN(names)];
    write_number(img, gpa, 0x00b60003, 4);
    write_number(img, gpa + w->build->dtb, w->dtb_gpa[i] | flags, word);
    write_number(img, gpa + w->build->pid, i == 0 ? 4 : 60 + 8 * i, word);
    guestimg_write(img, gpa + w->build->image_name, name, strlen(name) + 1);
    write_links(img, w, i, gpa + w->build->links);
    write_number(img, gpa + CREATE_TIME, i == 0 ? w->created : w->time, 8);
    if (i == 0 && w->kva_shadow && w->build->user_dtb != 0)
        write_number(img, gpa + w->build->user_dtb,
                     w->shadow_gpa | w->user_flags, word);
}

static void
write_processes(struct guestimg *img, struct winimg *w)
{
    for (unsigned i = 0; i < w->n_processes; i++)
        place_process(img, w, i);
    if (w->kva_shadow && w->build->user_dtb != 0)
        w->shadow_gpa = write_process_root(img, w, true);
    for (unsigned i = 0; i < w->n_processes; i++)
        write_process(img, w, i);
    write_links(img, w, w->n_processes, image_gpa(w, WINIMG_DATA + 0x80));
    write_number(img, w->pointer_gpa, w->eprocess_gva[0], word_of(w));
}

void
winimg_add_image(struct guestimg *img, struct winimg *w)
{
    uint64_t free_gpa = img->free_gpa;
    img->free_gpa = w->next_gpa;
    write_image(img, w);
    w->next_gpa = img->free_gpa;
    img->free_gpa = free_gpa;
}

void
winimg_write(struct guestimg *img, struct winimg *w)
{
    uint64_t free_gpa = img->free_gpa;
    img->free_gpa = w->next_gpa != 0 ? w->next_gpa : w->tables_gpa;
    if (w->stage >= WINIMG_LOADER)
        write_root(img, w);
    if (w->stage >= WINIMG_KERNEL) {
        write_kuser(img, w);
        write_image(img, w);
    }
    if (w->stage >= WINIMG_KERNEL && w->stub_gpa != 0)
        winimg_write_stub(img, w, w->stub_gpa, w->root_gpa);
    if (w->stage >= WINIMG_READY)
        write_processes(img, w);
    w->next_gpa = img->free_gpa;
    img->free_gpa = free_gpa;
}

/* ---- pages that come and go ---------------------------------------------- */

/* An entry of a page that is out: MMPTE_SOFTWARE or MMPTE_TRANSITION. */
static uint64_t
out_entry(const struct winimg *w, uint64_t gpa, enum winimg_out out)
{
    const uint64_t protection = 4 << 5;
    switch (out) {
    case WINIMG_IN:
        return is_arm(w) ? gpa | ARMIMG_AF | ARMIMG_TABLE | ARMIMG_VALID
                         : gpa | MEMCTX_PTE_PRESENT | MEMCTX_PTE_WRITE;
    case WINIMG_PAGE_FILE:
        return (w->paging == MEMCTX_PAGING_X86_2LEVEL ? UINT64_C(0x123) << 12
                                                      : UINT64_C(0x123) << 32) |
               protection;
    case WINIMG_TRANSITION:
        return gpa | 1 << 11 | protection;
    case WINIMG_TRANSITION_SWIZZLED:
        return gpa | 1 << 11 | protection |
               (is_wide(w) ? UINT64_C(1) << 45 : 0);
    }
    abort();
}

void
winimg_page(struct guestimg *img, const struct winimg *w, uint64_t rva,
            uint64_t size, enum winimg_out out)
{
    struct guestimg_space space = space_of(w, w->root_gpa);
    struct armimg_space arm = arm_space_of(w);
    unsigned char junk[PAGE];
    memset(junk, 0x5a, sizeof(junk));
    for (uint64_t at = rva; at < rva + size; at += PAGE) {
        uint64_t leaf = is_arm(w)
                            ? armimg_entry(img, &arm, w->base_gva + at, 1)
                            : guestimg_leaf_gpa(img, &space, w->base_gva + at);
        guestimg_write_entry(img, &space, leaf,
                             out_entry(w, image_gpa(w, at), out));
        if (out == WINIMG_PAGE_FILE)
            guestimg_write(img, image_gpa(w, at), junk, sizeof(junk));
    }
    if (out == WINIMG_IN)
        write_bytes_of_image(img, w);
}
