/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Builds guest RAM in a memfd: page tables, and kernels that look like Linux.
 * What cannot be built aborts the test: it is never the test's subject. */
#ifndef MEMCTX_TESTS_GUESTIMG_H
#define MEMCTX_TESTS_GUESTIMG_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "paging/paging.h"
#include "ram/rammap.h"

/* RAM, sparse: a page that nobody wrote is a hole. */
struct guestimg {
    int fd;            /* writable, and the only one */
    uint64_t size;     /* bytes of RAM */
    uint64_t low;      /* bytes below the split; the rest begins at 4 GiB */
    uint64_t base_gpa; /* 0, or where RAM begins that is in one piece */
    uint64_t free_gpa; /* the next page table comes from here; from 1 MiB */
};

void guestimg_init(struct guestimg *ret, uint64_t size, uint64_t low);
/* RAM in one piece from base_gpa on, as on machines other than x86. */
void guestimg_init_at(struct guestimg *ret, uint64_t size, uint64_t base_gpa);
void guestimg_deinit(struct guestimg *img);

/* A descriptor of its own, read-only, that the caller closes. */
int guestimg_open(const struct guestimg *img);

/* A map of this RAM in one backend "ram", read through `io` (NULL: the
 * default). The caller destroys it. */
struct memctx_rammap *guestimg_rammap(const struct guestimg *img,
                                      const struct memctx_backend_io *io);

/* Reads as the default does, and fails as guestimg_faults() says. */
extern const struct memctx_backend_io guestimg_faulty_io;

/* Of all maps together; set it to zero before use. */
struct guestimg_faults {
    unsigned long reads;     /* so far */
    unsigned long fail_from; /* this read and later ones fail with EIO; 0:
                                none does */
};
struct guestimg_faults *guestimg_faults(void);

/* Offset in the backing of a gpa that is RAM. */
uint64_t guestimg_offset(const struct guestimg *img, uint64_t gpa);

void guestimg_write(const struct guestimg *img, uint64_t gpa, const void *bytes,
                    size_t len_bytes);
void guestimg_write_le64(const struct guestimg *img, uint64_t gpa,
                         uint64_t value);
uint64_t guestimg_read_le64(const struct guestimg *img, uint64_t gpa);

/* Write one byte to each page of a range: it becomes data. */
void guestimg_touch(const struct guestimg *img, uint64_t gpa, uint64_t size);

/* Make a range a hole again. */
void guestimg_punch(const struct guestimg *img, uint64_t gpa, uint64_t size);

/* Cut the backing off at `size` bytes, as a domain that is going away does. */
void guestimg_truncate(const struct guestimg *img, uint64_t size);

/* Blocks of 512 bytes that the backing occupies. */
uint64_t guestimg_blocks(const struct guestimg *img);

/* An address space: its root table; 4 or 5 levels, 3: PAE, 2: 32-bit. */
struct guestimg_space {
    uint64_t root_gpa;
    int levels;
};

/* Map one page of 4 KiB, 2 MiB (2 levels: 4 MiB) or 1 GiB; `flags` are
 * MEMCTX_PTE_* of the last entry. Tables between are made where there are none,
 * for user space when MEMCTX_PTE_USER is among the flags. */
void guestimg_map(struct guestimg *img, const struct guestimg_space *space,
                  uint64_t gva, uint64_t gpa, uint64_t page_size,
                  uint64_t flags);

/* Where the entry of the page of 4 KiB stands that was mapped at gva. */
uint64_t guestimg_leaf_gpa(const struct guestimg *img,
                           const struct guestimg_space *space, uint64_t gva);

/* Read and write an entry of a table of this space. */
uint64_t guestimg_read_entry(const struct guestimg *img,
                             const struct guestimg_space *space, uint64_t gpa);
void guestimg_write_entry(const struct guestimg *img,
                          const struct guestimg_space *space, uint64_t gpa,
                          uint64_t entry);

/* guestimg_map() for [gva, gva + size). */
void guestimg_map_range(struct guestimg *img,
                        const struct guestimg_space *space, uint64_t gva,
                        uint64_t gpa, uint64_t size, uint64_t page_size,
                        uint64_t flags);

/* Write an ELF note "VMCOREINFO" that holds len_bytes of text. */
void guestimg_write_note(const struct guestimg *img, uint64_t gpa,
                         const char *text, size_t len_bytes);

/* A kernel: what is wanted, and below it what came of that. */
struct guestimg_kernel {
    int levels;              /* of its page tables */
    uint64_t slide;          /* KASLR: bytes that _text moved up */
    uint64_t text_gpa;       /* where _text was loaded, 2 MiB aligned */
    uint64_t text_flags;     /* MEMCTX_PTE_* of the pages that hold code */
    const char *release;     /* in VMCOREINFO, */
    const char *uts_release; /* and in init_uts_ns; NULL: the same */
    const char *build_id;    /* NULL: none */
    unsigned uts_offset;     /* of uts_namespace.name */
    uint64_t bare_gpa;       /* of the bare text; 0: there is none */
    uint64_t note_gpa;       /* of the ELF note; 0: there is none */
    uint64_t trampoline_gpa; /* of the real-mode root; 0: there is none */
    const char *without;     /* key that VMCOREINFO lacks; NULL: none */
    const char *falsify;     /* "KEY=VALUE" to stand in place of KEY's line */
    const char *more;        /* lines behind all others; NULL: none */

    uint64_t root_gpa; /* swapper_pg_dir */
    uint64_t root_gva;
    uint64_t text_gva; /* _text and _stext */
    uint64_t uts_gpa;  /* init_uts_ns */
    uint64_t end_gpa;  /* of the image */
    uint64_t bss_gpa;  /* vmcoreinfo_note, _size and _data stand there */
    int64_t phys_base;
    char text[4096]; /* VMCOREINFO */
    size_t text_len;
};

/* What a test does not care for: a 6.1 kernel with 4 levels and KASLR, loaded
 * at 96 MiB, with bare text and note at 48 MiB. Fits 128 MiB of RAM. */
struct guestimg_kernel guestimg_kernel(void);

/* Write the kernel into RAM and fill in what came of it. */
void guestimg_add_kernel(struct guestimg *img, struct guestimg_kernel *kernel);

/* A kernel for i386, which is mapped by the direct map that begins at this
 * PAGE_OFFSET: its note and init_uts_ns; its tables, PAE or of two levels. */
#define GUESTIMG_I386_ROOT UINT64_C(0x1e74000)
#define GUESTIMG_I386_UTS UINT64_C(0x1d45da0)
#define GUESTIMG_I386_TEXT UINT64_C(0x1000000)
#define GUESTIMG_I386_NOTE (48 * MEMCTX_MIB)
#define GUESTIMG_I386_RELEASE "6.1.0-50-686"
void guestimg_write_i386(const struct guestimg *img, uint32_t page_offset);
void guestimg_map_i386(struct guestimg *img, enum memctx_paging paging,
                       uint32_t page_offset);

#endif
