/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The first that a prober gets: one guest's RAM, as descriptors for reading and
 * where in the guest their bytes are, and the limits it is to live by. It comes
 * in several packets of a SOCK_SEQPACKET socket, since the kernel takes 253
 * descriptors in one. */
#ifndef MEMCTX_START_H
#define MEMCTX_START_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "ram/rammap.h"

struct memctx_start {
    struct memctx_rammap *maps[MEMCTX_LAYOUTS_MAX]; /* of the same backends */
    size_t n_maps;
    pid_t parent;          /* whoever sends this; the prober dies with it */
    uint64_t memory_bytes; /* that the prober may map beyond its own */
    unsigned cpu_s;        /* CPU time of its whole life */
    int output_fd;         /* for the prober to write to, and nothing else; -1:
                              none */
    uint64_t output_bytes; /* that it may become large */
};

/* Send it, as one that must not wait: socket buffers hold all of it, unless
 * somebody has made them small. The descriptors stay the maps'. 0, or -1 with
 * RETRY: it does not fit, too many descriptors are under way, or the other side
 * is gone. Any thread. */
int memctx_start_send(int socket, const struct memctx_start *start,
                      struct memctx_error *err);

/* Wait for it. Memory of a process is read through memctx_procmem_pread_io. 0
 * and *ret, which the caller deinits, and whose output it closes; -1 with BUG:
 * what came is no start, or of another build; GONE: the other side has left. */
int memctx_start_receive(int socket, struct memctx_start *ret,
                         struct memctx_error *err);

/* Destroy its maps. */
void memctx_start_deinit(struct memctx_start *start);

#endif
