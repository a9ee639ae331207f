/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Guest RAM that has been opened, and the ways to open it. Everything here
 * runs on a worker and opens for reading only. */
#ifndef MEMCTXD_RAM_H
#define MEMCTXD_RAM_H

#include <stdbool.h>
#include <stdint.h>

#include "datum/datum.h"
#include "backing/vcpus.h"
#include "base/error.h"
#include "ram/rammap.h"
#include "common/run.h"

struct ram {
    struct memctx_rammap *map;   /* owned */
    struct memctx_rammap *other; /* owned; NULL, or the same RAM in the layout
                                    that is the second likeliest */
    uint64_t low;                /* bytes below the split */
    char doubt[64]; /* an argument of QEMU that may have moved RAM, and could
                       not be read; "": there is none */
    bool synthetic; /* no guest runs in it: nothing to see alive */
    bool fresh;     /* it began with this QEMU: no earlier guest can have left
                       anything in it */
    struct vcpus *vcpus;      /* owned; NULL: nobody knows them */
    uint64_t identity;        /* see ram_identity(); 0 until somebody asks */
    struct statefile_run run; /* whose it is, and how far that was counted */
    bool has_inherited;
    struct memctx_datum inherited; /* found in the domain's metadata, owned;
                                      valid only if has_inherited */
};

void ram_deinit(struct ram *ram);

/* A number that differs when a backend is another file or another mapping, be
 * its name and its size the same. Any thread. */
uint64_t ram_identity(const struct ram *ram);

/* One descriptor as RAM below `low` and from 4 GiB on; low 0: in one piece
 * from GPA 0. Owns fd from the call on, also on failure. `name` is its name in
 * the datum. 0, or -1 with PERMANENT: not read-only, no regular file, empty,
 * not a multiple of a page, `low` not a multiple of a page or above 4 GiB and
 * not all of it. */
int ram_from_fd(int fd, const char *name, uint64_t low, struct ram *ret,
                struct memctx_error *err);

/* The same, from a path, opened O_RDONLY. -1 with PERMANENT. */
int ram_from_path(const char *path, const char *name, uint64_t low,
                  struct ram *ret, struct memctx_error *err);

/* Synthetic RAM with a synthetic Linux in it: a sealed memfd that the whole
 * bootstrap runs on. `seed` (a UUID) places the kernel, so that domains
 * differ. -1 with EXHAUSTED. */
int ram_from_stub(const char *seed, struct ram *ret, struct memctx_error *err);

#endif
