/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel that was found, as a value: what is published, compared and handed
 * from one program to another. It knows nothing of how it was found. */
#ifndef MEMCTX_KERNEL_H
#define MEMCTX_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/format.h"

/* Every guest system, in the order in which they are looked for: its
 * MEMCTX_OS_..., its name in the datum, its ops (guest.h). */
#define MEMCTX_SYSTEMS(X)               \
    X(LINUX, "linux", memctx_linux_ops) \
    X(WINDOWS, "windows", memctx_windows_ops)

enum memctx_os {
    MEMCTX_OS_UNKNOWN = 0,
#define MEMCTX_OS_CONSTANT(os, name, ops) MEMCTX_OS_##os,
    MEMCTX_SYSTEMS(MEMCTX_OS_CONSTANT)
#undef MEMCTX_OS_CONSTANT
    MEMCTX_OSES
};

/* Its name in guest/@os ("linux"); NULL for unknown. Any thread. */
const char *memctx_os_name(enum memctx_os os);

/* The reverse; MEMCTX_OS_UNKNOWN for a name that is none of ours. */
enum memctx_os memctx_os_from_name(const char *name);

#define MEMCTX_VERSION_MAX 72
#define MEMCTX_IDENTITY_MAX 128
#define MEMCTX_CHECKS_MAX 96
#define MEMCTX_FOUND_MAX 32

/* Facts that only Linux has. `has_` tells what is known. */
struct memctx_linux_facts {
    bool has_kaslr_offset;
    uint64_t kaslr_offset;    /* bytes from the link-time to the run-time gva */
    bool has_phys_base;       /* x86-64 only */
    int64_t phys_base;        /* gpa = gva - 0xffffffff80000000 + phys_base */
    bool has_kimage_voffset;  /* aarch64 only */
    uint64_t kimage_voffset;  /* gpa = gva - kimage_voffset, of the image */
    uint64_t vmcoreinfo_gpa;  /* of the ELF note; of the text if only that */
    uint32_t vmcoreinfo_size; /* of the text, bytes */
};

/* Bytes from the start of an EPROCESS. What is 0 is not known. */
struct memctx_windows_offsets {
    uint16_t dtb;
    uint16_t pid;
    uint16_t links;
    uint16_t image_name;
    uint16_t user_dtb;
};

/* Facts that only Windows has. */
struct memctx_windows_facts {
    uint64_t system_pointer_gva; /* of the variable PsInitialSystemProcess,
                                    which is never paged out; 0: not known */
    struct memctx_windows_offsets offsets;
};

/* The wall clock of a system that keeps one in RAM. What is 0 is not known. */
struct memctx_wall_clock {
    uint64_t page_gpa; /* where it stands. The next boot may have its own in the
                          same page, which then ticks for both */
    uint64_t time;     /* as it was read: 100 ns since 1601, UTC */
    uint64_t booted;   /* when the first process began, as time */
};

/* One kernel that was found and verified. A value: nothing to free. */
struct memctx_kernel {
    enum memctx_os os;
    enum memctx_paging paging;
    uint64_t kcr3;                      /* GPA, flag bits removed */
    char version[MEMCTX_VERSION_MAX];   /* printable ASCII */
    char identity[MEMCTX_IDENTITY_MAX]; /* "" when the kernel has none */
    uint64_t base_gva;                  /* start of the kernel image */
    uint64_t size_bytes;                /* of the image; 0: not known */
    uint64_t first_process_gva;         /* what the system knows its first
                                           process by (Windows: EPROCESS of
                                           System); 0: not known */
    struct memctx_wall_clock wall_clock;
    uint64_t clue_gpa;              /* where the search found its clue */
    unsigned clue_rank;             /* of that kind of clue among those of
                                       its system: 0 is the best */
    char found[MEMCTX_FOUND_MAX];   /* kind of clue */
    char checks[MEMCTX_CHECKS_MAX]; /* names of passed checks, by comma */
    struct memctx_linux_facts linux_facts;
    struct memctx_windows_facts windows_facts;
};

#define MEMCTX_PROCESS_NAME_MAX 16

/* One of its processes. */
struct memctx_process {
    uint64_t pid;
    uint64_t gva;      /* what the system knows it by (Windows: EPROCESS) */
    uint64_t root_gpa; /* of its address space, flag bits removed */
    char name[MEMCTX_PROCESS_NAME_MAX]; /* printable ASCII */
};

/* This kind of clue led to it: an enum of its system, in which the best comes
 * first, and its name in the datum. Any thread. */
void memctx_kernel_set_clue(struct memctx_kernel *kernel, unsigned rank,
                            const char *name);

/* Name one more check that was passed, in the list that stands in `checks`.
 * What does not fit is cut. Any thread. */
void memctx_checks_add(char checks[MEMCTX_CHECKS_MAX], const char *name);

/* Is it the same kernel, whichever clue led to it? Any thread. */
bool memctx_kernel_is_same(const struct memctx_kernel *a,
                           const struct memctx_kernel *b);

#define MEMCTX_KERNEL_WORDS_MAX 192

/* A kernel on one line without a newline: the same for two kernels exactly if
 * memctx_kernel_is_same(). Any thread. */
void memctx_kernel_words(const struct memctx_kernel *kernel,
                         char ret[MEMCTX_KERNEL_WORDS_MAX]);

#endif
