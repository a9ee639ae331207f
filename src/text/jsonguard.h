/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The scope guard of json-c's objects, see cleanup.h; and how we write an
 * address or a size there. */
#ifndef MEMCTX_JSONGUARD_H
#define MEMCTX_JSONGUARD_H

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/number.h"

static inline void
memctx_cleanup_json(json_object *const *object)
{
    json_object_put(*object);
}

/* "0x1000" as a string; NULL: out of memory. Owned as any object of json-c. */
static inline json_object *
memctx_json_hex(uint64_t number)
{
    char text[MEMCTX_NUMBER_MAX];
    memctx_number_print_hex(number, text);
    return json_object_new_string(text);
}

#endif
