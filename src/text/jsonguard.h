/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The scope guard of json-c's objects, see cleanup.h. */
#ifndef MEMCTX_JSONGUARD_H
#define MEMCTX_JSONGUARD_H

#include <json-c/json.h>

#include "base/cleanup.h"

static inline void
memctx_cleanup_json(json_object *const *object)
{
    json_object_put(*object);
}

#endif
