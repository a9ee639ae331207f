/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What the files behind btf.h share. */
#ifndef MEMCTX_BTFINDEX_H
#define MEMCTX_BTFINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ram/work.h"

/* The bytes of a section. */
struct memctx_btf_section {
    const unsigned char *bytes;
    uint32_t len;
};

struct memctx_btf {
    unsigned char *bytes; /* owned */
    size_t len;
    struct memctx_btf_section types;
    struct memctx_btf_section names;
    struct memctx_work *work;
    uint32_t *at; /* owned; where in `types` the one of an id begins; [0] is
                     not used */
    uint32_t n_types;
    uint32_t n_named; /* at most so many can be asked for by name */
    uint32_t *slots;  /* owned; a hash table of ids, 0: empty */
    uint32_t slot_mask;
};

/* Has the type of this id, which is none beyond the last and not 0, a name by
 * which it can be asked for? */
bool memctx_btf_is_named(const struct memctx_btf *btf, uint32_t id);

/* Fill the hash table, when all types are known. 0, or -1 with RETRY or
 * EXHAUSTED. */
int memctx_btf_index_names(struct memctx_btf *btf, struct memctx_error *err);

#endif
