/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Lets go of what an agent gave. */
#include "reader/lease.h"

#include <stdlib.h>

void
lease_close(struct lease *lease)
{
    if (lease == NULL)
        return;
    tables_destroy(lease->tables);
    memctx_rammap_destroy(lease->map);
    validity_deinit(&lease->validity);
    json_object_put(lease->facts);
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
