/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Takes references, and compares numbers. */
#include "control/running.h"

#include "base/cleanup.h"

struct running_kernel
running_kernel_of(const struct record *record)
{
    return (struct running_kernel){
        .map = memctx_rammap_share(record->map),
        .epoch = epoch_share(record->epoch),
        .epoch_number = record->kernel_epoch,
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

int
running_kernel_check(const struct running_kernel *kernel,
                     struct memctx_error *err)
{
    uint64_t now = epoch_get(kernel->epoch);
    if (now == kernel->epoch_number)
        return 0;
    if (now == STATEPAGE_OVER)
        return memctx_error_set(err, MEMCTX_GONE, "the domain has stopped");
    if (now == STATEPAGE_UNKNOWN)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "it is not known whether the kernel still "
                                "runs");
    return memctx_error_set(err, MEMCTX_STALE, "the kernel runs no more");
}
