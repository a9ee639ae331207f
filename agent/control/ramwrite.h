/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes to guest memory: the only file that opens it for writing. Reached by
 * the operation write alone, which takes a rule in the configuration that names
 * the domain and the operation. */
#ifndef MEMCTXD_RAMWRITE_H
#define MEMCTXD_RAMWRITE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/log.h"
#include "control/walks.h"
#include "wire/protocol.h"

/* Which bytes go where, and for whom. */
struct ramwrite {
    const struct running_kernel *kernel;
    uint64_t gva;
    size_t len_bytes;
    unsigned char bytes[CONTROL_WRITE_MAX];
    const struct walk_result *found; /* by a walk to gva, just now */
    /* For the line of the log. */
    const struct log *log;
    const char *domain; /* its name */
    uid_t uid;
    pid_t pid;
    const char *program; /* as that process calls itself */
};

/* Write the bytes to where the address was found to lead: all bytes or none.
 * One line of the log says who wrote where and what came of it, also where
 * nothing was found. 0, or -1 with nothing written: what the walk failed with;
 * PERMANENT, mapped read-only, or RAM that cannot be opened or takes no writes;
 * STALE, RETRY or GONE: another kernel, or nobody knows which. STALE is also
 * said when the kernel changed while it was written. Any thread but the loop's:
 * it may wait for a file system. */
int ramwrite(const struct ramwrite *write, struct memctx_error *err);

#endif
