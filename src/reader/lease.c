/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Says what is believed of the RAM that an agent gave, and lets go of it. */
#include "reader/lease.h"

#include <stdlib.h>

#include "wire/clocks.h"

void
lease_close(struct lease *lease)
{
    if (lease == NULL)
        return;
    tables_destroy(lease->tables);
    memctx_rammap_destroy(lease->map);
    validity_deinit(&lease->validity);
    json_object_put(lease->facts);
    json_object_put(lease->domain);
    free(lease->json);
    memctx_datum_deinit(&lease->datum);
    client_destroy(lease->client);
    free(lease);
}

void
lease_cleanup(struct lease **lease)
{
    lease_close(*lease);
}

int
lease_begin(struct lease *lease, struct memctx_error *err)
{
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    lease->failure.kind = MEMCTX_OK;
    tables_set_time(lease->tables, now_us);
    return validity_check(&lease->validity, now_us, err);
}

/* That the kernel is another one is the better reason for a failure; next best
 * is what a backend said, which had only an errno for it. */
int
lease_end(struct lease *lease, int result, const struct memctx_error *why,
          struct memctx_error *err)
{
    if (validity_confirm(&lease->validity, err) < 0)
        return -1;
    if (result >= 0)
        return result;
    return memctx_error_pass(
        err, lease->failure.kind != MEMCTX_OK ? &lease->failure : why);
}
