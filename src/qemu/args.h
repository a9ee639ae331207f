/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The facts that memctxd needs from the arguments of a QEMU process. They are
 * what QEMU did, where domain XML is what was asked for. */
#ifndef MEMCTX_QEMUARGS_H
#define MEMCTX_QEMUARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "qemu/memconf.h"
#include "ram/rammap.h"

enum memctx_backend_kind {
    MEMCTX_BACKEND_ANONYMOUS, /* memory-backend-ram */
    MEMCTX_BACKEND_MEMFD,
    MEMCTX_BACKEND_FILE,
    MEMCTX_BACKEND_OTHER, /* memory-backend-shm, -epc and what is to come */
};

/* In the order of the command line, in which QEMU makes them. */
struct memctx_backend_arg {
    char id[MEMCTX_BACKEND_NAME_MAX]; /* "": it has a longer one */
    enum memctx_backend_kind kind;
    uint64_t size;  /* bytes; 0: not given, or no size */
    uint64_t align; /* of its place in the guest, bytes */
};

#define MEMCTX_BACKEND_ARGS_MAX MEMCTX_BACKENDS_MAX

struct memctx_qemuargs {
    char uuid[MEMCTX_UUID_TEXT_SIZE]; /* of memctx_cmdline_uuid() */
    bool mem_path;                    /* boot RAM without a backend is a file */
    bool confidential;                /* confidential-guest-support is set */
    struct memctx_memconf memory;     /* what decides the layout */
    size_t n_nodes;                   /* -numa node, also those without RAM */
    size_t n_backends; /* -object memory-backend-*; may be more than
                          MEMCTX_BACKEND_ARGS_MAX, the rest is lost */
    struct memctx_backend_arg backends[MEMCTX_BACKEND_ARGS_MAX];
};

/* The backend of this name; NULL: there is none, or id is "". */
const struct memctx_backend_arg *memctx_qemuargs_backend(
    const struct memctx_qemuargs *args, const char *id);

#endif
