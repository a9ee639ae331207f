/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel of guestimg that explains itself: its memory by virtual addresses,
 * and structs in it that it has types for. */
#ifndef MEMCTX_TESTS_EXPLIMG_H
#define MEMCTX_TESTS_EXPLIMG_H

#include "btfimg.h"
#include "explain/target.h"
#include "guestimg.h"

#define EXPLIMG_RAM (128 * MEMCTX_MIB)
#define EXPLIMG_ROOM UINT64_C(0x910000) /* from _text on: nothing is there */
#define EXPLIMG_ROOM_SIZE UINT64_C(0x200000)

struct explimg {
    struct guestimg img;
    struct guestimg_kernel built;
    struct memctx_kernel kernel;
    uint64_t room_gva; /* EXPLIMG_ROOM_SIZE bytes for whoever builds */
};

void explimg_init(struct explimg *x);
void explimg_deinit(struct explimg *x);

/* A map of it, read as guestimg_faulty_io does; the caller destroys it. */
struct memctx_rammap *explimg_rammap(const struct explimg *x);

/* Write at a gva of the kernel's image. */
void explimg_write(const struct explimg *x, uint64_t gva, const void *bytes,
                   size_t len_bytes);
void explimg_le32(const struct explimg *x, uint64_t gva, uint32_t value);
void explimg_le64(const struct explimg *x, uint64_t gva, uint64_t value);
uint64_t explimg_read_le64(const struct explimg *x, uint64_t gva);

/* Lists: an empty head; another link before the head. */
void explimg_list_init(const struct explimg *x, uint64_t head_gva);
void explimg_list_add(const struct explimg *x, uint64_t head_gva,
                      uint64_t link_gva);

#endif
