/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where addresses of guests' kernels lead. Who walks their page tables is a
 * prober, which is started for one walk and gets the RAM in the layout that the
 * kernel was found in.
 *
 * The walks in one guest take turns: one whose probers do not answer holds up
 * those who ask about it, and nobody else. Loop thread. */
#ifndef MEMCTXD_WALKS_H
#define MEMCTXD_WALKS_H

#include "control/running.h"
#include "tries/tries.h"

struct walks;

/* What came of a walk. */
struct walk_result {
    struct memctx_error why; /* kind OK: the parts were found */
    /* In the kernel's RAM, and together as many bytes as were asked for. */
    uint32_t n_parts;
    struct memctx_probe_part parts[MEMCTX_PROBE_PARTS_MAX];
};

/* One walk, embedded by its owner, who sets the members down to done(). It must
 * stay where it is until then, or until walks_cancel(). */
struct walk {
    const struct running_kernel *kernel;
    uint64_t gva;
    uint32_t len_bytes; /* from 1 up to MEMCTX_PROBE_TRANSLATE_MAX */
    void (*done)(struct walk *walk); /* it has ended; may free it */
    /* RETRY: the address leads to no RAM, the prober did what it must not, or
       there is none to be had. PERMANENT: it can never lead anywhere. STALE or
       GONE: the kernel runs no more. */
    struct walk_result result;
    /* The walks' own. */
    struct tries_client *client; /* NULL: it waits for its turn */
    struct walk *next;
};

/* On libvirt's event loop. `tries` must outlive it. -1 with EXHAUSTED. */
int walks_create(struct tries *tries, struct walks **ret,
                 struct memctx_error *err);

/* No walk may be left. NULL is fine. */
void walks_destroy(struct walks *walks);

/* Begin a walk. done() is called by the loop, not from here. */
void walks_begin(struct walks *walks, struct walk *walk);

/* End one that has not ended, with its prober. done() is not called. */
void walks_cancel(struct walks *walks, struct walk *walk);

/* The epoch of some kernel has changed: end all walks in kernels that run no
 * more, which calls their done(). */
void walks_check(struct walks *walks);

#endif
