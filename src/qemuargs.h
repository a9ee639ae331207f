/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the facts memctxd needs from the arguments of a QEMU process. They are
 * what QEMU did, where domain XML is what was asked for. */
#ifndef MEMCTX_QEMUARGS_H
#define MEMCTX_QEMUARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "rammap.h"

#define MEMCTX_QEMUARGS_MAX (1024u * 1024) /* bytes of arguments read */

enum memctx_backend_kind {
    MEMCTX_BACKEND_ANONYMOUS, /* memory-backend-ram */
    MEMCTX_BACKEND_MEMFD,
    MEMCTX_BACKEND_FILE,
    MEMCTX_BACKEND_OTHER, /* memory-backend-epc and what is to come */
};

struct memctx_backend_arg {
    char id[MEMCTX_BACKEND_NAME_MAX];
    enum memctx_backend_kind kind;
    uint64_t size; /* bytes; 0: not given */
};

#define MEMCTX_BACKEND_ARGS_MAX 64

struct memctx_qemuargs {
    char uuid[37];             /* -uuid, lower case as given; "" when absent */
    char machine[64];          /* type in -machine or -M; "" when absent */
    uint64_t max_ram_below_4g; /* bytes; 0: not set */
    uint64_t ram_bytes;        /* -m; 0: not set */
    uint64_t max_memory_bytes; /* -m maxmem=; 0: not set */
    uint64_t pci_hole64_bytes; /* -global *-pcihost.pci-hole64-size; 0: not
                                  set */
    char boot_backend[MEMCTX_BACKEND_NAME_MAX]; /* memory-backend in -machine,
                                                   or the last -numa memdev */
    size_t n_numa_backends;                     /* -numa ...,memdev= */
    bool confidential; /* confidential-guest-support is set */
    size_t n_backends; /* -object memory-backend-*; may be more than
                          MEMCTX_BACKEND_ARGS_MAX, the rest is lost */
    struct memctx_backend_arg backends[MEMCTX_BACKEND_ARGS_MAX];
};

/* Parse len_bytes of NUL-separated arguments, as in /proc/PID/cmdline. Unknown
 * arguments are passed over; of repeated ones the last counts, as in QEMU. 0,
 * or -1 with PERMANENT: a size that is no number, an -object that is no valid
 * JSON. *ret is untouched on failure. Any thread. */
int memctx_qemuargs_parse(const char *args, size_t len_bytes,
                          struct memctx_qemuargs *ret,
                          struct memctx_error *err);

/* The backend that holds boot RAM, and not that of an ivshmem device or a
 * DIMM: NULL when there is none, as in QEMU's default of private RAM. */
const struct memctx_backend_arg *memctx_qemuargs_boot_backend(
    const struct memctx_qemuargs *args);

/* Parse a size as QEMU does: decimal or 0x hexadecimal, with an optional
 * suffix b, k, m, g, t (any case). Without suffix it is in `unit` bytes. */
bool memctx_qemuargs_size(const char *text, uint64_t unit, uint64_t *ret);

#endif
