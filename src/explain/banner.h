/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* linux_banner, the text that begins /proc/version: "Linux version 6.1.0 ...".
 * Volatility knows a kernel by it. */
#ifndef MEMCTX_BANNER_H
#define MEMCTX_BANNER_H

#include <stdint.h>

#include "base/error.h"
#include "explain/target.h"

#define MEMCTX_BANNER_MAX 1024u

struct memctx_banner {
    uint64_t gva;
    char text[MEMCTX_BANNER_MAX]; /* the guest's: any bytes but NUL */
};

/* Read it: at gva, or where it is found in the kernel's image (gva 0: no symbol
 * tells). 0, or -1 with PERMANENT: it is not there; RETRY. */
int memctx_banner_read(struct memctx_target *target, uint64_t gva,
                       struct memctx_banner *ret, struct memctx_error *err);

#endif
