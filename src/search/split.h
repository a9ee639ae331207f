/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks a kernel where its RAM ends. A 64-bit Linux maps all RAM that its
 * firmware reports, at one distance (Documentation/arch/x86/x86_64/mm.rst,
 * "direct mapping"). So its tables tell how many pieces there are, and how
 * large. */
#ifndef MEMCTX_SPLIT_H
#define MEMCTX_SPLIT_H

#include <stdbool.h>

#include "guest/kernel.h"
#include "ram/rammap.h"

enum memctx_split_word {
    MEMCTX_SPLIT_UNTOLD,      /* this kernel maps no such thing, */
    MEMCTX_SPLIT_CONFIRMED,   /* it maps RAM up to where `map` has it, */
    MEMCTX_SPLIT_CONTRADICTED /* or has it elsewhere */
};

/* What does the kernel, which was found in `map`, say of the layout that `map`
 * has: one or two pieces, of which the first begins at 0 and ends below 4 GiB
 * at `low`, and the second begins at 4 GiB? Firmware keeps up to 64 MiB at the
 * end of each piece for itself. On CONTRADICTED the places are stored to which
 * the first piece may reach instead, the likeliest first; 0: none. About 20 ms,
 * charged to the map's work. Any thread. */
#define MEMCTX_SPLIT_GUESSES 2
enum memctx_split_word memctx_split_judge(
    const struct memctx_rammap *map, const struct memctx_kernel *kernel,
    uint64_t low, uint64_t guesses[MEMCTX_SPLIT_GUESSES]);

/* Has the kernel RAM where `map` has none: below 4 GiB from `low` on, or behind
 * its end? Then the layout is not what it was taken for. That a kernel has less
 * than there is (mem= on its command line, a DIMM that it does not use) says
 * nothing. Costs as much. Any thread. */
bool memctx_split_is_elsewhere(const struct memctx_rammap *map,
                               const struct memctx_kernel *kernel,
                               uint64_t low);

/* Where machines of QEMU split so much RAM (their rules, with all options, are
 * in qemu/machine.c), the likeliest first; `size` itself:
 * it is in one piece. At least one. Source: hw/i386/pc_piix.c, pc_q35.c and
 * microvm.c of QEMU 1.7 to 10.0. */
#define MEMCTX_SPLITS_MAX 4
size_t memctx_split_stock(uint64_t size, uint64_t ret[MEMCTX_SPLITS_MAX]);

#endif
