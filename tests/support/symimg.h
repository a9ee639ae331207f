/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Builds a kernel's symbol tables (kallsyms) in the image of guestimg's kernel,
 * as scripts/kallsyms.c of Linux lays them out. */
#ifndef MEMCTX_TESTS_SYMIMG_H
#define MEMCTX_TESTS_SYMIMG_H

#include "guestimg.h"

/* Where the tables lie, in bytes from _text. */
#define SYMIMG_NUM_SYMS UINT64_C(0x900000)
#define SYMIMG_BASE UINT64_C(0x900008)
#define SYMIMG_TOKEN_TABLE UINT64_C(0x901000)
#define SYMIMG_TOKEN_INDEX UINT64_C(0x902000)
#define SYMIMG_OFFSETS UINT64_C(0x903000)
#define SYMIMG_NAMES UINT64_C(0x910000)

/* How an address is written in 32 bits; src/guest/linux/kallsyms.c says when
 * kernels do which. */
enum symimg_way {
    SYMIMG_NEGATIVE,
    SYMIMG_POSITIVE,
    SYMIMG_SELF, /* there is no base */
};

struct symimg {
    const struct guestimg *img;
    uint64_t text_gpa; /* of _text */
    uint64_t text_gva;
    enum symimg_way way;
    uint32_t n;        /* symbols */
    uint64_t names_at; /* the next name, from _text */
};

/* Tables without a symbol, for a kernel whose _text is there. Each byte of a
 * name stands for itself but 1, which is "jiff", and 2, "_64". */
struct symimg symimg(const struct guestimg *img, uint64_t text_gpa,
                     uint64_t text_gva, enum symimg_way way);

/* Add a symbol that is `offset` bytes from _text; the first byte of its name is
 * its type. */
void symimg_add(struct symimg *sym, const char *name, uint64_t offset);

/* Write bytes, or a number of 4 bytes, at an offset from _text. */
void symimg_write(const struct symimg *sym, uint64_t offset, const void *bytes,
                  size_t len_bytes);
void symimg_write_le32(const struct symimg *sym, uint64_t offset,
                       uint64_t value);

/* The lines of VMCOREINFO that name the tables. */
void symimg_lines(const struct symimg *sym, char *ret, size_t size);

#endif
