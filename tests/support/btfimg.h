/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Builds BTF, type by type, as pahole writes it. Each function that adds a type
 * returns its id. */
#ifndef MEMCTX_TESTS_BTFIMG_H
#define MEMCTX_TESTS_BTFIMG_H

#include <stddef.h>
#include <stdint.h>

#include "explain/btf.h"

#define BTFIMG_HEADER 24u
#define BTFIMG_MAX 16384u

struct btfimg {
    unsigned char types[BTFIMG_MAX];
    size_t types_len;
    char names[BTFIMG_MAX];
    size_t names_len;
    uint32_t n; /* types, with void */
};

void btfimg_init(struct btfimg *img);

/* The offset of a name, which is added. */
uint32_t btfimg_name(struct btfimg *img, const char *name);

/* Any record: `words` follow the 12 bytes that all have. */
uint32_t btfimg_add(struct btfimg *img, const char *name,
                    enum memctx_btf_kind kind, uint32_t vlen, uint32_t third,
                    const uint32_t *words, size_t n);

uint32_t btfimg_int(struct btfimg *img, const char *name, uint32_t size_bytes);
uint32_t btfimg_pointer(struct btfimg *img, uint32_t to);
uint32_t btfimg_array(struct btfimg *img, uint32_t of, uint32_t count);

struct btfimg_member {
    const char *name;
    uint32_t type;
    uint32_t offset; /* bytes */
};

uint32_t btfimg_struct(struct btfimg *img, enum memctx_btf_kind kind,
                       const char *name, uint32_t size_bytes,
                       const struct btfimg_member *members, uint32_t n);

struct btfimg_enumerator {
    const char *name;
    int32_t value;
};

uint32_t btfimg_enum(struct btfimg *img, const char *name,
                     const struct btfimg_enumerator *items, uint32_t n);

/* All of it, from malloc(); the caller frees it. */
unsigned char *btfimg_bytes(const struct btfimg *img, size_t *len_bytes);

/* The same, opened; the caller destroys it. */
struct memctx_btf *btfimg_open(const struct btfimg *img);

#endif
