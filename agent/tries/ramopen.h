/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Opens one guest's RAM on a worker, whichever way it is to be opened. libvirt
 * and file systems may hold that up for as long as they like. Loop thread, but
 * for what runs on the worker. */
#ifndef MEMCTXD_RAMOPEN_H
#define MEMCTXD_RAMOPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "backing/handed.h"
#include "backing/ram.h"
#include "common/executor.h"

struct ramopen;

/* Opens a domain's RAM, on the worker. -1 with the class that becomes the
 * try's: RETRY, PERMANENT or GONE; *ret then has no map, but may have an
 * inherited datum. */
typedef int ramopen_fn(void *arg, struct ram *ret, struct memctx_error *err);

/* The first of these that is there counts. It never leaves the agent. */
struct ramopen_config {
    ramopen_fn *open; /* ask whoever knows, as often as needed */
    void *open_arg;   /* its argument, owned; freed by open_free */
    void (*open_free)(void *arg);
    struct handed *handed; /* NULL, or RAM handed in, once; owned from
                              ramopen_create() on, on every path */
    const char *ram_path;  /* RAM to open O_RDONLY; copied. Never logged above
                              debug level */
    uint64_t low;          /* its split, bytes; 0: one piece from GPA 0 */
    bool stub;             /* synthetic RAM; also when nothing else is set */
    const char *seed;      /* stub: makes domains differ; copied */
};

/* `fd`, an eventfd that stays the caller's, is written to when the worker is
 * done. 0, or -1 with EXHAUSTED: out of memory. */
int ramopen_create(const struct ramopen_config *config,
                   struct executor *workers, int fd, struct ramopen **ret,
                   struct memctx_error *err);

/* While the worker is busy it frees all when it is done, and from now on
 * writes to no descriptor. NULL is fine. */
void ramopen_destroy(struct ramopen *ramopen);

/* Can the RAM be opened again once it was closed? */
bool ramopen_is_repeatable(const struct ramopen *ramopen);

/* Have the worker begin. It is not busy. */
void ramopen_start(struct ramopen *ramopen);

/* Is the worker done? True, once: *failed is what came of it, with *err. *ret
 * is the caller's in both cases, for ram_deinit(), and its identity is known.
 */
bool ramopen_take(struct ramopen *ramopen, struct ram *ret, int *failed,
                  struct memctx_error *err);

#endif
