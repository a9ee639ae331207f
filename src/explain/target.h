/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A Linux kernel that is to be explained: its address space, and the names and
 * numbers that it gives in VMCOREINFO. All files of this room read the guest
 * through one of these, and all they do is charged to the work of its map
 * (work.h), which need not be set. */
#ifndef MEMCTX_TARGET_H
#define MEMCTX_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/kernel.h"
#include "paging/view.h"
#include "ram/rammap.h"

/* Embedded by the caller; 64 KiB. One thread at a time. */
struct memctx_target {
    struct memctx_view view; /* of the kernel's address space; keeps pages */
    const struct memctx_kernel *kernel;
    const char *note; /* the text of VMCOREINFO; "": it has none */
    size_t note_len;
};

/* Nothing is read. The map, the kernel and the text (NULL: none) must outlive
 * the target. */
void memctx_target_init(struct memctx_target *target,
                        const struct memctx_rammap *map,
                        const struct memctx_kernel *kernel, const char *note,
                        size_t note_len);

/* Forget the pages that the view keeps: the guest has gone on. */
void memctx_target_refresh(struct memctx_target *target);

/* Read len_bytes at gva anew, past the pages that the view keeps: for what is
 * large, or changes. 0, or -1 as memctx_paging_read(). */
int memctx_target_read(const struct memctx_target *target, uint64_t gva,
                       void *buf, size_t len_bytes, struct memctx_error *err);

/* The number of a key of VMCOREINFO, such as "SYMBOL(prb)". 0, or -1 with
 * PERMANENT: there is none. */
int memctx_target_number(const struct memctx_target *target, const char *key,
                         uint64_t *ret, struct memctx_error *err);

/* The same of a number that is sane from 0 to max only; -1 with PERMANENT also
 * for one that is not. */
int memctx_target_bounded(const struct memctx_target *target, const char *key,
                          uint64_t max, uint64_t *ret,
                          struct memctx_error *err);

/* Is there this key? */
bool memctx_target_has(const struct memctx_target *target, const char *key);

/* Bytes of a pointer and of a long in this kernel: 4 or 8; and such a number
 * at `from`. */
unsigned memctx_target_word_size(const struct memctx_target *target);
uint64_t memctx_target_word(const struct memctx_target *target,
                            const unsigned char *from);

#endif
