/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* QEMU's machine types: what each family of them does with boot RAM. */
#ifndef MEMCTX_MACHINE_H
#define MEMCTX_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "qemu/memconf.h"

/* Does this machine type move RAM above AMD's hole below 1 TiB? */
enum memctx_moves {
    MEMCTX_MOVES_NEVER,
    MEMCTX_MOVES,       /* QEMU 7.1 and later */
    MEMCTX_MOVES_MAYBE, /* a distribution's name: its age is not known */
};

struct memctx_machine {
    const char *default_ram; /* name of boot RAM that has no other */
    uint64_t base;           /* GPA of RAM's first byte */
    /* The split: bytes below 4 GiB of `ram` bytes of boot RAM, max4 being
     * max-ram-below-4g or 0; NULL: RAM is one piece. */
    uint64_t (*low)(uint64_t ram, uint64_t max4);
    bool memory_devices; /* there is a region for DIMMs */
    bool aligns_devices; /* by their backend, not to a page only */
    bool slot_room;      /* their region has 1 GiB more for each slot */
    uint64_t pci_hole64; /* bytes, unless set */
    enum memctx_moves moves;
};

/* Fill *ret for QEMU's machine type `name` ("" is the architecture's default,
 * if it has one). false: not one of those that are known. */
bool memctx_machine_find(enum memctx_arch arch, const char *name,
                         struct memctx_machine *ret);

#endif
