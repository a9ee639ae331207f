/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A record of a kernel's log, whichever kind of log it is in. */
#ifndef MEMCTX_EXPLAIN_RECORD_H
#define MEMCTX_EXPLAIN_RECORD_H

#include <stddef.h>
#include <stdint.h>

struct memctx_printk_record {
    uint64_t seq;     /* its number; each has a larger one than the one before.
                         Before 5.10 kernels tell none: it is counted from 0 */
    uint64_t ts_nsec; /* since the guest's boot */
    uint64_t lost;    /* records before this one and behind the one that was
                         given before it, which the guest has overwritten. Where
                         it is counted here: 1 for any number */
    unsigned facility;
    unsigned level;   /* 0 to 7 */
    unsigned flags;   /* of the kernel: LOG_NEWLINE 2, LOG_CONT 8, ... */
    const char *text; /* of the log, until the next call; without NUL */
    size_t len_bytes; /* of the text; no newline is at its end */
};

/* Whether a log is read as it is or as it grows. */
enum memctx_printk_reach {
    MEMCTX_PRINTK_STANDS, /* what there was when it was opened */
    MEMCTX_PRINTK_GROWS   /* and what has come since */
};

#endif
