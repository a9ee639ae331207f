/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Any bytes as the types of a kernel: all that can be asked of them, and the
 * export of what was found. */
#include "fuzz.h"

#include <string.h>

#include "cost.h"
#include "explain/btf.h"

static void
use_type(const struct memctx_btf *btf, uint32_t id)
{
    struct memctx_btf_type type;
    struct memctx_btf_type end;
    struct memctx_btf_member member;
    struct memctx_btf_enumerator one;
    struct memctx_btf_field field;
    uint64_t size;
    if (memctx_btf_type(btf, id, &type, NULL) < 0)
        return;
    FUZZ_MUST(type.id == id);
    FUZZ_MUST(strlen(type.name) < MEMCTX_BTF_NAME_MAX);
    memctx_btf_strip(btf, id, &end, NULL);
    memctx_btf_size(btf, id, 8, &size, NULL);
    for (uint32_t i = 0; i < type.n; i++) {
        if (memctx_btf_member(btf, &type, i, &member, NULL) == 0)
            memctx_btf_field(btf, type.name, member.name, &field, NULL);
        else if (memctx_btf_enumerator(btf, &type, i, &one, NULL) == 0)
            memctx_btf_value(btf, type.name, one.name, &one.value, NULL);
        else
            break;
    }
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_work work;
    struct memctx_btf *btf;
    struct memctx_btf_field field;
    unsigned char *bytes = malloc(size + 1);
    FUZZ_MUST(bytes != NULL);
    memcpy(bytes, data, size);
    memctx_work_begin(&work, FUZZ_STEPS, NULL, NULL);
    if (memctx_btf_create(bytes, size, &work, &btf, &err) < 0) {
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
        return;
    }
    for (uint32_t id = 0; id < memctx_btf_types(btf); id++)
        use_type(btf, id);
    memctx_btf_field(btf, "outer", "e.y", &field, NULL);
    memctx_btf_destroy(btf);
}
