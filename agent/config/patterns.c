/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The order of patterns does not matter: who excludes a domain means it. */
#include "config/patterns.h"

#include <fnmatch.h>
#include <string.h>

int
patterns_add(struct patterns *patterns, const char *text,
             struct memctx_error *err)
{
    bool excludes = text[0] == '!';
    const char *pattern = text + (excludes ? 1 : 0);
    if (pattern[0] == '\0' || strlen(pattern) >= PATTERN_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "domains wants patterns of 1 to %d bytes, "
                                "found: \"%.40s\"",
                                PATTERN_MAX - 1, text);
    if (patterns->n == PATTERNS_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "domains has more than %d patterns",
                                PATTERNS_MAX);
    struct pattern *to = &patterns->pattern[patterns->n++];
    to->excludes = excludes;
    strcpy(to->text, pattern);
    return 0;
}

bool
patterns_admit(const struct patterns *patterns, const char *name,
               const char *uuid)
{
    bool names_any = false;
    bool is_named = false;
    for (unsigned i = 0; i < patterns->n; i++) {
        const struct pattern *p = &patterns->pattern[i];
        bool matches =
            fnmatch(p->text, name, 0) == 0 || fnmatch(p->text, uuid, 0) == 0;
        if (matches && p->excludes)
            return false;
        names_any = names_any || !p->excludes;
        is_named = is_named || matches;
    }
    return is_named || !names_any;
}
