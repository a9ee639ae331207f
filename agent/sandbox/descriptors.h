/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which descriptors a sandbox leaves open, and which parts of them; and how a
 * process or a thread gets rid of all others. */
#ifndef MEMCTXD_DESCRIPTORS_H
#define MEMCTXD_DESCRIPTORS_H

#include "base/error.h"
#include "sandbox/rules.h"
#include "sandbox/window.h"

struct descriptors {
    int *kept; /* owned; each once, in order */
    size_t n_kept;
    struct window *windows; /* owned; as window_sort() leaves them */
    size_t n_windows;
};

void descriptors_deinit(struct descriptors *descriptors);

/* List what *sandbox names, and 0, 1 and 2, which are opened if they are not
 * (/dev/null). -1 with BUG: one is not open, or a file of /proc that has no
 * windows; EXHAUSTED. The caller deinits *ret. */
int descriptors_list(const struct sandbox *sandbox, struct descriptors *ret,
                     struct memctx_error *err);

/* Give the calling thread a descriptor table of its own. It begins as a copy of
 * the one that the thread shared with others. -1 with BUG. */
int descriptors_unshare(struct memctx_error *err);

/* Close every descriptor of the calling thread's table that is not listed; of
 * *descriptors, only `kept` counts. -1 with BUG: neither the kernel
 * (Linux 5.9) nor /proc helps. */
int descriptors_close_others(const struct descriptors *descriptors,
                             struct memctx_error *err);

#endif
