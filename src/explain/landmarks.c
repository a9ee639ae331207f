/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Asks the kernel's symbols for each name. */
#include "explain/landmarks.h"

#include <assert.h>

#include "explain/symbols.h"

static const char *const names[MEMCTX_LANDMARKS_END] = {
#define MEMCTX_LANDMARK_NAME(landmark, name) [MEMCTX_AT_##landmark] = name,
    MEMCTX_LANDMARKS(MEMCTX_LANDMARK_NAME)
#undef MEMCTX_LANDMARK_NAME
};

static_assert(MEMCTX_LANDMARKS_END <= MEMCTX_SYMBOLS_WANTED,
              "they are asked for together");

int
memctx_landmarks_read(const struct memctx_target *target,
                      struct memctx_landmarks *ret, struct memctx_error *err)
{
    if (memctx_symbols_locate(target, names, MEMCTX_LANDMARKS_END, ret->gva,
                              err) == 0)
        return 0;
    *ret = (struct memctx_landmarks){{0}};
    return -1;
}

void
memctx_landmarks_take(const struct memctx_symbols *symbols,
                      struct memctx_landmarks *ret)
{
    for (unsigned i = 0; i < MEMCTX_LANDMARKS_END; i++) {
        struct memctx_symbol symbol;
        bool found = memctx_symbols_find(symbols, names[i], &symbol) == 0;
        ret->gva[i] = found ? symbol.address : 0;
    }
}
