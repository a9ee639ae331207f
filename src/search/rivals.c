/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks each rival's system. */
#include "search/rivals.h"

#include <inttypes.h>

#include "base/bytes.h"
#include "search/guests.h"

const struct memctx_rival *
memctx_rivals_find(const struct memctx_rammap *map,
                   const struct memctx_rivals *rivals,
                   const struct memctx_kernel *kernel, bool moves)
{
    size_t n = (size_t)memctx_min(rivals->n, MEMCTX_RIVALS_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct memctx_rival *rival = &rivals->rival[i];
        const struct memctx_guest_ops *guest = memctx_guests[rival->os];
        if (rival->os == kernel->os && guest->outranks != NULL &&
            guest->outranks(map, rival, kernel, moves))
            return rival;
    }
    return NULL;
}

int
memctx_rivals_tell(const struct memctx_rival *rival,
                   const struct memctx_kernel *kernel, struct memctx_error *err)
{
    return memctx_error_set(err, MEMCTX_RETRY,
                            "kernel %s at root %#" PRIx64 " is complete, but "
                            "another, some of which is paged out, may be the "
                            "one that runs: root %#" PRIx64 " leads to it",
                            kernel->version, kernel->kcr3, rival->root_gpa);
}
