/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes references, and compares numbers. */
#include "control/running.h"

#include "base/cleanup.h"

struct running_kernel
running_kernel_of(const struct record *record, bool takes_silent)
{
    return (struct running_kernel){
        .map = memctx_rammap_share(record->map),
        .epoch = epoch_share(record->epoch),
        .epoch_number = record->kernel_epoch,
        .takes_silent = takes_silent,
        .paging = record->datum.kernel.paging,
        .kcr3 = record->datum.kernel.kcr3,
    };
}

void
running_kernel_release(struct running_kernel *kernel)
{
    memctx_rammap_destroy(memctx_steal_ptr(&kernel->map));
    epoch_drop(memctx_steal_ptr(&kernel->epoch));
}

/* The number of a silent kernel counts only while none is told as running. A
 * kernel that just begins to run again leaves the one number for the other: who
 * finds it in neither looks at the first once more. */
static bool
is_there(const struct running_kernel *kernel)
{
    uint64_t number = kernel->epoch_number;
    uint64_t now = epoch_get(kernel->epoch);
    if (now == number || !kernel->takes_silent || now != STATEPAGE_UNKNOWN)
        return now == number;
    return epoch_get_silent(kernel->epoch) == number ||
           epoch_get(kernel->epoch) == number;
}

int
running_kernel_check(const struct running_kernel *kernel,
                     struct memctx_error *err)
{
    if (is_there(kernel))
        return 0;
    uint64_t now = epoch_get(kernel->epoch);
    if (now == STATEPAGE_OVER)
        return memctx_error_set(err, MEMCTX_GONE, "the domain has stopped");
    uint64_t silent = epoch_get_silent(kernel->epoch);
    if (now == STATEPAGE_UNKNOWN &&
        (silent == STATEPAGE_UNKNOWN || silent == kernel->epoch_number))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "it is not known whether the kernel still "
                                "runs");
    return memctx_error_set(err, MEMCTX_STALE, "the kernel runs no more");
}
