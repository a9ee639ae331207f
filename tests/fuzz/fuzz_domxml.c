/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Domain XML, as any user may have written it. */
#include "fuzz.h"

#include <string.h>

#include "domain/domxml.h"

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct memctx_domxml facts;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (memctx_domxml_parse((const char *)data, size, &facts, &err) < 0) {
        FUZZ_MUST(err.kind == MEMCTX_PERMANENT && err.message[0] != '\0');
        return;
    }
    FUZZ_MUST(facts.name[0] != '\0');
    FUZZ_MUST(strlen(facts.uuid) == 36);
    FUZZ_MUST(facts.id >= -1);
    memctx_domxml_deinit(&facts);
}
