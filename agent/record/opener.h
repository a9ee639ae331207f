/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens the RAM of a libvirt domain: domain XML, QEMU process, backing. */
#ifndef MEMCTXD_OPENER_H
#define MEMCTXD_OPENER_H

#include <stdbool.h>

#include "common/log.h"
#include "tries/ramopen.h"
#include "watch/watch.h"

/* Whose RAM is to be opened: the run `id` of domain `uuid`. */
struct opener_target {
    struct watch *watch; /* must outlive the adapter's tries, */
    int dirfd;           /* as must this: where the state files are */
    const char *uuid;
    int id;
    bool stub;             /* synthetic RAM instead */
    const struct log *log; /* NULL: nothing is told */
};

/* Fill *ret so that this RAM is opened when an adapter asks. Copies the uuid.
 * -1 with EXHAUSTED: out of memory. */
int opener_configure(const struct opener_target *target,
                     struct ramopen_config *ret, struct memctx_error *err);

#endif
