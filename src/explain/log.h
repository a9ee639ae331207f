/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The two kinds of a kernel's log, which printk.c tells apart. */
#ifndef MEMCTX_EXPLAIN_LOG_H
#define MEMCTX_EXPLAIN_LOG_H

#include "base/error.h"
#include "explain/record.h"
#include "explain/target.h"

/* Text of a record: its length has 16 bits in the kernel. */
#define MEMCTX_PRINTK_TEXT_MAX 65536u

struct memctx_log_ops {
    int (*open)(const struct memctx_target *target, void **ret,
                struct memctx_error *err);
    void (*close)(void *log);
    int (*next)(void *log, enum memctx_printk_reach reach,
                struct memctx_printk_record *ret, struct memctx_error *err);
    int (*seek_last)(void *log, uint64_t n, struct memctx_error *err);
    /* Where the kernel counts its messages; `bytes` is 4 or 8. */
    int (*head)(const struct memctx_target *target, uint64_t *gva,
                unsigned *bytes, struct memctx_error *err);
};

extern const struct memctx_log_ops memctx_ring_log; /* since 5.10 */
extern const struct memctx_log_ops memctx_buffer_log;

#endif
