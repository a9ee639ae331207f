/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where QEMU's machine types put boot RAM in the guest-physical space. */
#ifndef MEMCTX_LAYOUT_H
#define MEMCTX_LAYOUT_H

#include <stdint.h>

#include "error.h"
#include "rammap.h"

/* What decides the layout. Names are QEMU's, as in its -machine argument. */
struct memctx_layout_facts {
    const char *machine;       /* "pc-q35-7.2", "pc", "q35", ... */
    uint64_t ram_bytes;        /* boot RAM, without DIMMs; not 0 */
    uint64_t max_ram_below_4g; /* bytes; 0: not set */
    uint64_t max_memory_bytes; /* -m maxmem=; 0: not set */
    uint64_t pci_hole64_bytes; /* size of the 64-bit PCI hole; 0: not set */
};

struct memctx_layout {
    uint64_t low;   /* GPA [0, low) is the backing's [0, low) */
    uint64_t above; /* GPA of the backing's byte `low`, when there is one */
};

/* The split of boot RAM. 0, or -1 with PERMANENT for a machine type that is
 * not one of QEMU's x86 ones, or RAM and PCI hole so large that QEMU may have
 * moved RAM above 1 TiB (that depends on the vCPU's vendor).
 * Source: QEMU hw/i386/pc_piix.c and pc_q35.c (pc_init1, pc_q35_init), and
 * info mtree of QEMU 5.2, 7.2 and 10.0. */
int memctx_layout_split(const struct memctx_layout_facts *facts,
                        struct memctx_layout *ret, struct memctx_error *err);

/* Add to `map` the extents of ram_bytes in `backend`, from its offset 0. The
 * window [0xa0000, 0x100000) is taken as identity: the backing does not move
 * where ROM or VGA hide it. Errors as memctx_rammap_add_extent(). */
int memctx_layout_apply(const struct memctx_layout *layout, uint64_t ram_bytes,
                        struct memctx_rammap *map, unsigned backend,
                        struct memctx_error *err);

#endif
