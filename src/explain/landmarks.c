/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks the kernel's symbols for each name. */
#include "explain/landmarks.h"

#include <stddef.h>

#include "base/cleanup.h"
#include "explain/symbols.h"

static const char *const names[MEMCTX_LANDMARKS_END] = {
#define MEMCTX_LANDMARK_NAME(landmark, name) [MEMCTX_AT_##landmark] = name,
    MEMCTX_LANDMARKS(MEMCTX_LANDMARK_NAME)
#undef MEMCTX_LANDMARK_NAME
};

int
memctx_landmarks_read(const struct memctx_target *target,
                      struct memctx_landmarks *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_symbols_cleanup)
    struct memctx_symbols *symbols = NULL;
    if (memctx_symbols_read(target, &symbols, err) < 0)
        return -1;
    for (unsigned i = 0; i < MEMCTX_LANDMARKS_END; i++) {
        struct memctx_symbol symbol;
        bool found = memctx_symbols_find(symbols, names[i], &symbol);
        ret->gva[i] = found ? symbol.address : 0;
    }
    return 0;
}
