/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Builds RAM that looks like that of a Windows guest: page tables, the shared
 * page, a PE image with exports and getters, processes; and what may be taken
 * for them. No byte of it comes from Windows: offsets are those of public
 * symbols, the rest is as the documented formats want it. */
#ifndef MEMCTX_TESTS_WINIMG_H
#define MEMCTX_TESTS_WINIMG_H

#include "guestimg.h"

/* What a release of Windows is to us. */
struct winimg_build {
    unsigned build;
    bool wide; /* 64 bits */
    unsigned major;
    unsigned minor;
    unsigned dtb;
    unsigned pid;
    unsigned links;
    unsigned image_name;
    unsigned user_dtb; /* 0: this build has none */
};

/* All builds that are known, ended by a row of zeros. */
extern const struct winimg_build winimg_builds[];

/* NULL when there is no such build. */
const struct winimg_build *winimg_build(unsigned build, bool wide);

/* How far the boot has come. */
enum winimg_stage {
    WINIMG_FIRMWARE, /* nothing */
    WINIMG_LOADER,   /* a root that maps itself, and the loader */
    WINIMG_KERNEL,   /* kernel and shared page, no System process */
    WINIMG_READY,
    WINIMG_STAGES
};

/* Shapes of the code of getters. */
enum winimg_code {
    WINIMG_CODE_PLAIN,  /* as compilers write it */
    WINIMG_CODE_PADDED, /* endbr64, or mov edi,edi, and nops before it */
    WINIMG_CODE_THUNK,  /* behind a jump */
    WINIMG_CODE_OPAQUE, /* calls something */
    WINIMG_CODE_WRONG,  /* returns what is elsewhere */
    WINIMG_CODES
};

/* How a page is not there: in the page file, or on its way, with its bytes
 * still in RAM (Windows calls that a transition). */
enum winimg_out {
    WINIMG_IN,
    WINIMG_PAGE_FILE,
    WINIMG_TRANSITION,         /* as before build 18363 */
    WINIMG_TRANSITION_SWIZZLED /* frames have high bits set */
};

#define WINIMG_PROCESSES_MAX 64

/* One boot of Windows: what is wanted, and below it what came of that. */
struct winimg {
    const struct winimg_build *build;
    enum memctx_paging paging;
    enum winimg_stage stage;
    uint64_t root_gpa;
    uint64_t tables_gpa; /* the tables below it; and what else is in memory */
    uint64_t image_gpa;
    uint64_t base_gva;
    uint64_t pool_gva;     /* where processes are */
    bool large_pages;      /* the image is mapped in them */
    unsigned self_index;   /* 0: the root has no self map */
    uint64_t stub_gpa;     /* 0: there is no low stub */
    uint64_t target_gva;   /* where the stub jumps to; 0: into the image */
    bool kva_shadow;       /* with PCID bits, and a root for user space */
    uint64_t user_flags;   /* of that root in UserDirectoryTableBase */
    bool user_half;        /* the System root has something in it */
    uint64_t time;         /* SystemTime */
    uint64_t uptime;       /* InterruptTime */
    enum winimg_code code; /* of getters */
    const char *without;   /* the export that the image lacks; NULL: none */
    const char *export_as; /* the image's own name */
    const char *pdb;       /* NULL: no RSDS record */
    bool only_data;        /* of the sections, as drivers have them */
    unsigned n_processes;  /* System among them */
    uint64_t created;      /* CreateTime of System; 0: not written */
    uint64_t shares_kuser; /* gpa of the shared page of another boot; 0: none */

    uint64_t next_gpa; /* behind all memory that was taken */
    uint64_t kuser_gpa;
    uint64_t shadow_gpa;  /* root for user space */
    uint64_t pointer_gpa; /* PsInitialSystemProcess */
    uint64_t head_gva;    /* PsActiveProcessHead */
    uint64_t eprocess_gva[WINIMG_PROCESSES_MAX];
    uint64_t eprocess_gpa[WINIMG_PROCESSES_MAX];
    uint64_t dtb_gpa[WINIMG_PROCESSES_MAX];
};

/* Bytes of the image, and where in it things are. */
#define WINIMG_SIZE UINT64_C(0x400000)
#define WINIMG_TEXT 0x1000u
#define WINIMG_EDATA 0x4000u /* the directory, and its tables */
#define WINIMG_NAMES 0x5000u /* of exports, in the same section */
#define WINIMG_DEBUG 0x9000u
#define WINIMG_DATA 0xa000u
#define WINIMG_ALL_OUT                                      \
    0x6000u /* headers, code and exports: what is pageable, \
               and more */
#define WINIMG_IDENTITY "ntkrnlmp.pdb/8B11040A5928757B11390AC78F6B6925/1"

/* What a test does not care for: a ready guest of that build in 64 MiB, root at
 * 0x1ad000, image at 32 MiB in large pages, low stub, 3 processes. On aarch64
 * all of this lies behind 1 GiB, where RAM begins then, the root is the upper
 * half of that page, and there is no stub. */
struct winimg winimg(unsigned build, enum memctx_paging paging);

/* Write it into RAM as far as its stage goes and fill in what came of it. May
 * be called again for a later stage: what is there is written again. */
void winimg_write(struct guestimg *img, struct winimg *w);

/* Write and map its image alone: a further one for the space of `root_gpa`. */
void winimg_add_image(struct guestimg *img, struct winimg *w);

/* Time goes by. */
void winimg_tick(const struct guestimg *img, struct winimg *w, uint64_t by);

/* Take pages of the image out of [rva, rva + size), or bring them in again.
 * Only where it is mapped in small pages. Bytes that are in the page file are
 * overwritten in RAM, and are written again when they come in. */
void winimg_page(struct guestimg *img, const struct winimg *w, uint64_t rva,
                 uint64_t size, enum winimg_out out);

/* A low stub whose CR3 is `root_gpa`. */
void winimg_write_stub(const struct guestimg *img, const struct winimg *w,
                       uint64_t gpa, uint64_t root_gpa);

/* A page that maps itself and n more entries that lead to `gpa` + 4 KiB. */
void winimg_write_self(const struct guestimg *img, uint64_t gpa, unsigned index,
                       unsigned n);

#endif
