/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A kernel has some 10^5 symbols, and all of them are offered: most are told by
 * their first letter and length. */
#include "explain/landmarks.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name[2];
    size_t len[2];
} landmark_table[MEMCTX_LANDMARKS_END] = {
#define MEMCTX_LANDMARK_ROW(landmark, first, second) \
    [MEMCTX_AT_##landmark] = {{first, second},       \
                              {sizeof(first) - 1, sizeof(second) - 1}},
    MEMCTX_LANDMARKS(MEMCTX_LANDMARK_ROW)
#undef MEMCTX_LANDMARK_ROW
};

void
memctx_landmarks_offer(struct memctx_landmarks *landmarks, const char *name,
                       uint64_t gva)
{
    size_t len = strlen(name);
    if (len == 0)
        return;
    for (size_t i = 0; i < 2 * MEMCTX_LANDMARKS_END; i++) {
        const char *known = landmark_table[i / 2].name[i % 2];
        if (landmark_table[i / 2].len[i % 2] == len && known[0] == name[0] &&
            memcmp(known, name, len) == 0 && landmarks->gva[i / 2] == 0)
            landmarks->gva[i / 2] = gva;
    }
}
