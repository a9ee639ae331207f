/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A counter that goes down, and somebody to ask on the way. */
#include "ram/work.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/bytes.h"

void
memctx_work_begin(struct memctx_work *work, uint64_t steps,
                  bool (*is_over)(void *arg), void *arg)
{
    *work = (struct memctx_work){.left = steps, .is_over = is_over, .arg = arg};
}

/* A task that was told to end has nothing left, whatever was kept back. */
static bool
is_told_to_end(struct memctx_work *work, uint64_t steps)
{
    work->unasked += memctx_min(steps, MEMCTX_WORK_ASK);
    if (work->over || work->is_over == NULL || work->unasked < MEMCTX_WORK_ASK)
        return work->over;
    work->unasked = 0;
    work->over = work->is_over(work->arg);
    return work->over;
}

bool
memctx_work_charge(struct memctx_work *work, uint64_t steps)
{
    if (work == NULL)
        return true;
    if (steps > work->left || is_told_to_end(work, steps)) {
        work->left = 0;
        return false;
    }
    work->left -= steps;
    return true;
}

bool
memctx_work_look(struct memctx_work *work)
{
    return work == NULL || ++work->looks % MEMCTX_WORK_LOOKS != 0 ||
           memctx_work_charge(work, 1);
}

int
memctx_work_fail(const char *space, uint64_t address, struct memctx_error *err)
{
    return memctx_error_set(err, MEMCTX_RETRY,
                            "gave up at %s %#" PRIx64
                            ": this guest is more work than it may be",
                            space, address);
}

uint64_t
memctx_work_left(const struct memctx_work *work)
{
    return work != NULL ? work->left : 0;
}

bool
memctx_work_is_over(const struct memctx_work *work)
{
    return work != NULL && (work->over || work->left == 0);
}

uint64_t
memctx_work_keep_back(struct memctx_work *work, uint64_t steps)
{
    if (work == NULL)
        return 0;
    uint64_t kept = work->left - memctx_min(work->left, steps);
    work->left -= kept;
    return kept;
}

void
memctx_work_give_back(struct memctx_work *work, uint64_t kept)
{
    if (work != NULL)
        work->left += kept;
}
