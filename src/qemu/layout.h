/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where QEMU puts a guest's RAM in the guest-physical space. How much of it is
 * below 4 GiB (the split) is the machine's matter: the rules are in machine.c.
 */
#ifndef MEMCTX_LAYOUT_H
#define MEMCTX_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "qemu/memconf.h"
#include "ram/rammap.h"

struct memctx_layout_backend {
    char id[MEMCTX_BACKEND_NAME_MAX];
    uint64_t size;  /* bytes */
    bool is_device; /* a memory device, which may be unplugged */
};

/* Where RAM goes from 4 GiB on. */
enum memctx_layout_choice {
    MEMCTX_LAYOUT_LIKELIEST,
    MEMCTX_LAYOUT_OTHER, /* the other of MEMCTX_LAYOUTS_MAX, when it is
                            doubtful */
};

struct memctx_layout {
    uint64_t low;   /* bytes of boot RAM below 4 GiB; all of it where RAM is
                       in one piece wherever it begins */
    uint64_t above; /* GPA of boot RAM's byte `low`, when there is one */
    bool doubtful;  /* whether RAM was moved to 1 TiB depends on what is not
                       known: the vCPU's vendor, the age of a machine type */
    size_t n_backends;
    struct memctx_layout_backend backends[MEMCTX_BACKENDS_MAX];
    size_t n_extents;
    struct memctx_extent extents[MEMCTX_EXTENTS_MAX]; /* by gpa; `backend` is
                                                         an index above */
};

/* Work out the layout. The window [0xa0000, 0x100000) is taken as identity:
 * the backing does not move where ROM or VGA hide it. All of a virtio-mem
 * device counts as RAM, also what is not plugged. 0, or -1 with PERMANENT: a
 * machine type or architecture that is not known, no RAM, more RAM than fits,
 * cells that are not all RAM, memory devices that do not fit or overlap. *ret
 * (large) is untouched on failure. Any thread. */
int memctx_layout_compute(const struct memctx_memconf *conf,
                          enum memctx_layout_choice choice,
                          struct memctx_layout *ret, struct memctx_error *err);

#endif
