/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel that a request is about, for threads that do not see records: RAM,
 * tables, and whether it still runs. */
#ifndef MEMCTXD_RUNNING_H
#define MEMCTXD_RUNNING_H

#include "paging/format.h"
#include "ram/rammap.h"
#include "record/state.h"

struct running_kernel {
    struct memctx_rammap *map; /* a reference, */
    struct epoch *epoch;       /* and so is this */
    uint64_t epoch_number;     /* while *epoch shows it, the kernel runs */
    bool takes_silent;         /* it need not run, if it stands in RAM */
    enum memctx_paging paging;
    uint64_t kcr3;
};

/* The kernel of a record that is ready, or with takes_silent silent. The caller
 * releases it. Loop thread. */
struct running_kernel running_kernel_of(const struct record *record,
                                        bool takes_silent);

/* Let go of the RAM, which may be the last reference to it: that takes a while.
 * Any thread. */
void running_kernel_release(struct running_kernel *kernel);

/* Does it still run, or is it silent and is that enough? 0, or -1 with STALE:
 * another one does; RETRY: nobody knows, or it is silent; GONE: the domain has
 * stopped. Any thread. */
int running_kernel_check(const struct running_kernel *kernel,
                         struct memctx_error *err);

#endif
