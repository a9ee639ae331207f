/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The page by which readers see at once that a kernel is another one. Its form
 * is a contract, see memctx-control(7). */
#ifndef MEMCTXD_STATEPAGE_H
#define MEMCTXD_STATEPAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define STATEPAGE_MAGIC "memctx\0\1" /* 8 bytes, without the NUL behind */
#define STATEPAGE_SIZE 4096u

#define STATEPAGE_UNKNOWN UINT64_C(0) /* no kernel is known to run */
#define STATEPAGE_OVER UINT64_MAX     /* the domain has stopped */

struct statepage {
    char magic[8];
    _Atomic uint64_t epoch;
    /* While `epoch` is STATEPAGE_UNKNOWN: that of the kernel which is silent:
       it stands complete in RAM and does not run. Else, and in a page of an
       agent that knows of no such kernels, STATEPAGE_UNKNOWN. */
    _Atomic uint64_t silent;
};

#endif
