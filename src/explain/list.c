/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* One step at a time; whoever takes it counts the steps. */
#include "explain/list.h"

#include <inttypes.h>

int
memctx_list_next(struct memctx_target *target, uint64_t gva, uint64_t *ret,
                 struct memctx_error *err)
{
    uint64_t next;
    uint64_t back;
    if (memctx_view_pointer(&target->view, gva, &next, err) < 0 ||
        memctx_view_pointer(&target->view,
                            next + memctx_target_word_size(target), &back,
                            err) < 0)
        return -1;
    if (back != gva)
        return memctx_error_set(err, MEMCTX_RETRY,
                                "the link at gva %#" PRIx64
                                " leads to one that leads back to %#" PRIx64,
                                gva, back);
    *ret = next;
    return 0;
}
