/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Small guests that run, one of each kind that there is, for targets that
 * change their bytes. */
#ifndef MEMCTX_TESTS_GUESTS_H
#define MEMCTX_TESTS_GUESTS_H

#include "changes.h"

#define FUZZ_LINUXES 8

struct fuzz_linux {
    struct fuzz_guest guest;
    uint64_t clock_gpa; /* of jiffies_64 */
};

/* The Linux of this number, modulo FUZZ_LINUXES, as it was built: x86-64 with
 * symbols, with 5 levels, without VMCOREINFO; i386 with PAE and without;
 * aarch64 with pages of 4, 16 and 64 KiB. */
const struct fuzz_linux *fuzz_linux(unsigned which);

/* Its clock goes on. */
void fuzz_linux_tick(const struct fuzz_linux *built, uint64_t by);

#endif
