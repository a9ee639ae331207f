/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Frees what a record was told. */
#include "tries/order.h"

#include "base/cleanup.h"

void
adapter_result_deinit(struct adapter_result *result)
{
    if (result->has_datum)
        memctx_datum_deinit(&result->datum);
    if (result->has_inherited)
        memctx_datum_deinit(&result->inherited);
    memctx_rammap_destroy(memctx_steal_ptr(&result->map));
    result->has_datum = false;
    result->has_inherited = false;
}
