/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Each guest is built once, and then only rewound. */
#include "guests.h"

#include <string.h>

#include "armimg.h"
#include "symimg.h"

#define RAM (128 * MEMCTX_MIB)
#define LOW (112 * MEMCTX_MIB)
#define ARM_RAM (64 * MEMCTX_MIB)
#define BOOT (UINT64_C(0x100000000) - 300 * 250) /* of jiffies_64 */
#define TABLES_GPA MEMCTX_MIB                    /* where guestimg begins */
#define FREE_GPA (16 * MEMCTX_MIB)

/* In the image of an x86-64 kernel, from _text. */
#define JIFFIES UINT64_C(0x810cc0)
#define BANNER_AT (MEMCTX_MIB + 123)
#define BANNER "Linux version 6.1.0-13-amd64 (debian@example) (gcc-12) #1 SMP\n"

static void
add_places(struct fuzz_guest *guest, const uint64_t *gpa, size_t n)
{
    memcpy(guest->places, gpa, n * sizeof(gpa[0]));
    guest->n_places = n;
}

static void
add_symbols(const struct guestimg *img, struct guestimg_kernel *k,
            char lines[512])
{
    uint64_t text_gva = UINT64_C(0xffffffff81000000) + k->slide;
    struct symimg sym = symimg(img, k->text_gpa, text_gva, SYMIMG_POSITIVE);
    symimg_add(&sym, "T_stext", 0);
    symimg_add(&sym, "D\1ies\2", JIFFIES);
    symimg_lines(&sym, lines, 512);
    k->more = lines;
}

static void
name_places(struct fuzz_guest *guest, const struct guestimg_kernel *k)
{
    uint64_t text = k->text_gpa;
    const uint64_t places[] = {
        48 * MEMCTX_MIB,
        48 * MEMCTX_MIB + MEMCTX_PAGE_SIZE,
        k->root_gpa,
        k->root_gpa + MEMCTX_PAGE_SIZE, /* tables of the image: */
        k->root_gpa + 2 * MEMCTX_PAGE_SIZE,
        k->root_gpa + 3 * MEMCTX_PAGE_SIZE,
        k->root_gpa + 4 * MEMCTX_PAGE_SIZE, /* init_uts_ns */
        k->root_gpa - MEMCTX_PAGE_SIZE,
        text,
        text + MEMCTX_MIB, /* the banner */
        text + JIFFIES - JIFFIES % MEMCTX_PAGE_SIZE,
        k->bss_gpa - k->bss_gpa % MEMCTX_PAGE_SIZE,
        text + SYMIMG_NUM_SYMS,
        text + SYMIMG_TOKEN_TABLE,
        text + SYMIMG_TOKEN_INDEX,
        text + SYMIMG_OFFSETS,
        text + SYMIMG_NAMES,
        0x99000, /* the trampoline */
        0x1000,
        FREE_GPA,
        FREE_GPA + MEMCTX_PAGE_SIZE,
        FREE_GPA + 2 * MEMCTX_PAGE_SIZE,
        FREE_GPA + 3 * MEMCTX_PAGE_SIZE,
    };
    add_places(guest, places, MEMCTX_ARRAY_LEN(places));
}

static void
build_x86(struct guestimg *img, struct fuzz_linux *ret, unsigned which)
{
    struct guestimg_kernel k = guestimg_kernel();
    char lines[512];
    guestimg_init(img, RAM, LOW);
    k.levels = which == 1 ? 5 : 4;
    if (which == 0)
        add_symbols(img, &k, lines);
    if (which == 2) {
        k.bare_gpa = 0;
        k.note_gpa = 0;
    }
    guestimg_add_kernel(img, &k);
    guestimg_write(img, k.text_gpa + BANNER_AT, BANNER, sizeof(BANNER));
    ret->clock_gpa = k.text_gpa + JIFFIES;
    ret->guest.no_execute = MEMCTX_PTE_NX;
    name_places(&ret->guest, &k);
}

static void
build_i386(struct guestimg *img, struct fuzz_linux *ret, unsigned which)
{
    enum memctx_paging paging =
        which == 3 ? MEMCTX_PAGING_X86_PAE : MEMCTX_PAGING_X86_2LEVEL;
    const uint64_t places[] = {GUESTIMG_I386_NOTE, GUESTIMG_I386_ROOT,
                               GUESTIMG_I386_UTS, GUESTIMG_I386_TEXT, FREE_GPA};
    guestimg_init(img, RAM, RAM);
    guestimg_write_i386(img, 0xc0000000);
    guestimg_map_i386(img, paging, 0xc0000000);
    ret->clock_gpa = GUESTIMG_I386_ROOT - MEMCTX_MIB;
    ret->guest.no_execute = paging == MEMCTX_PAGING_X86_PAE ? MEMCTX_PTE_NX : 0;
    ret->guest.entry_bytes = paging == MEMCTX_PAGING_X86_PAE ? 8 : 4;
    add_places(&ret->guest, places, MEMCTX_ARRAY_LEN(places));
}

static void
build_arm(struct guestimg *img, struct fuzz_linux *ret, unsigned which)
{
    struct armimg_kernel k = armimg_kernel();
    guestimg_init_at(img, ARM_RAM, MEMCTX_GIB);
    k.granule_shift = which == 5 ? 12 : which == 6 ? 14 : 16;
    k.config_va_bits = which == 7 ? 52 : 48;
    k.upper_48 = which == 7;
    k.t1sz = which == 7 ? NULL : k.t1sz;
    armimg_add_kernel(img, &k);
    const uint64_t places[] = {
        k.note_gpa,    k.root_gpa, k.swapper_gpa,        k.uts_gpa,
        k.jiffies_gpa, k.text_gpa, MEMCTX_GIB + FREE_GPA};
    ret->clock_gpa = k.jiffies_gpa;
    ret->guest.no_execute = ARMIMG_PXN | ARMIMG_UXN;
    add_places(&ret->guest, places, MEMCTX_ARRAY_LEN(places));
}

static void
build(struct fuzz_linux *ret, unsigned which)
{
    typedef void build_fn(struct guestimg * img, struct fuzz_linux * ret,
                          unsigned which);
    static build_fn *const builders[FUZZ_LINUXES] = {
        build_x86,  build_x86, build_x86, build_i386,
        build_i386, build_arm, build_arm, build_arm};
    struct guestimg img;
    ret->guest.entry_bytes = 8;
    builders[which](&img, ret, which);
    for (size_t i = 0; i < ret->guest.n_places; i++)
        ret->guest.places[i] -= ret->guest.places[i] % MEMCTX_PAGE_SIZE;
    ret->guest.tables_gpa = img.base_gpa + TABLES_GPA;
    guestimg_write_le64(&img, ret->clock_gpa, BOOT);
    ret->guest.ram = memram_create(&img);
    guestimg_deinit(&img);
}

const struct fuzz_linux *
fuzz_linux(unsigned which)
{
    static struct fuzz_linux built[FUZZ_LINUXES];
    struct fuzz_linux *ret = &built[which % FUZZ_LINUXES];
    if (ret->guest.ram == NULL)
        build(ret, which % FUZZ_LINUXES);
    memram_rewind(ret->guest.ram);
    return ret;
}

void
fuzz_linux_tick(const struct fuzz_linux *built, uint64_t by)
{
    unsigned char raw[8];
    memram_read(built->guest.ram, built->clock_gpa, raw, sizeof(raw));
    memram_write_le64(built->guest.ram, built->clock_gpa,
                      memctx_le64(raw) + by);
}
