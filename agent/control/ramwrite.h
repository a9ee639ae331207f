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
#include "control/running.h"
#include "wire/protocol.h"

/* Which bytes go where, and for whom. */
struct ramwrite {
    const struct running_kernel *kernel;
    uint64_t gva;
    size_t len_bytes;
    unsigned char bytes[CONTROL_WRITE_MAX];
    /* For the line of the log. */
    const struct log *log;
    const char *domain; /* its name */
    uid_t uid;
    pid_t pid;
};

/* Write the bytes to the guest-virtual address as the kernel's page tables map
 * it now: all bytes or none. One line of the log says who wrote where and what
 * came of it. 0, or -1 with nothing written: RETRY or PERMANENT, not mapped,
 * mapped read-only, no RAM, or not to be opened; STALE, RETRY or GONE: another
 * kernel, or nobody knows which. STALE is also said when the kernel changed
 * while it was written. Any thread but the loop's: it may wait for a file
 * system. */
int ramwrite(const struct ramwrite *write, struct memctx_error *err);

#endif
