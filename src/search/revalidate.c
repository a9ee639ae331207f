/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Runs the proofs of one clue anew. */
#include "search/revalidate.h"

#include <inttypes.h>

#include "search/guests.h"

int
memctx_revalidate(const struct memctx_rammap *map,
                  const struct memctx_kernel *kernel, struct memctx_error *err)
{
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    struct memctx_session session = {.map = map};
    struct memctx_kernel now;
    if (guest == NULL)
        return memctx_error_set(err, MEMCTX_BUG, "no guest system %d",
                                (int)kernel->os);
    if (memctx_rammap_check(map, err) < 0 ||
        guest->verify(&session, kernel->clue_gpa, &now, err) < 0)
        return -1;
    if (!memctx_kernel_is_same(&now, kernel))
        return memctx_error_set(err, MEMCTX_RETRY,
                                "kernel %s at root %#" PRIx64
                                " has taken the place of %s at %#" PRIx64,
                                now.version, now.kcr3, kernel->version,
                                kernel->kcr3);
    return 0;
}

int
memctx_stands(const struct memctx_rammap *map,
              const struct memctx_kernel *kernel, struct memctx_error *err)
{
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    if (guest != NULL && guest->stands != NULL &&
        memctx_rammap_check(map, NULL) == 0 &&
        guest->stands(map, kernel, NULL) == 0)
        return 0;
    return memctx_revalidate(map, kernel, err);
}
