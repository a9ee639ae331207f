/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The structs of a kernel's log since 5.10 (struct printk_ringbuffer and what
 * it is made of), as VMCOREINFO tells where their members are. */
#ifndef MEMCTX_EXPLAIN_RINGLAYOUT_H
#define MEMCTX_EXPLAIN_RINGLAYOUT_H

#include <stdint.h>

#include "base/error.h"
#include "explain/target.h"

/* Sizes that are sane: kernels have about 100, 24 and 88 bytes. */
#define MEMCTX_RINGLAYOUT_RING_MAX 512u
#define MEMCTX_RINGLAYOUT_DESC_MAX 128u
#define MEMCTX_RINGLAYOUT_INFO_MAX 512u

/* In bytes from the beginning of the struct. */
struct memctx_ringlayout {
    unsigned word_size; /* of a long */
    uint64_t prb_gva;   /* of the pointer to the ring */
    uint64_t ring_size; /* of a printk_ringbuffer, and in it: */
    uint64_t count_bits;
    uint64_t descs;
    uint64_t infos;
    uint64_t head_id;
    uint64_t tail_id;
    uint64_t size_bits;
    uint64_t data;
    uint64_t desc_size; /* of a prb_desc, and in it: */
    uint64_t state_var;
    uint64_t begin;
    uint64_t next;
    uint64_t info_size; /* of a printk_info, and in it: */
    uint64_t seq;
    uint64_t ts_nsec;
    uint64_t text_len;
};

/* 0, or -1 with PERMANENT: VMCOREINFO does not tell, or a member would not lie
 * in its struct. Any thread. */
int memctx_ringlayout_init(struct memctx_ringlayout *ret,
                           const struct memctx_target *target,
                           struct memctx_error *err);

#endif
