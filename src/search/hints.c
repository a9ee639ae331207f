/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* RAM may be full of pages that only look like a clue: these must not push out
 * one that led to something. */
#include "search/hints.h"

#include <string.h>

void
memctx_hints_add(struct memctx_hints *hints, uint64_t gpa, bool good)
{
    size_t at = 0;
    while (at < hints->n && hints->gpa[at] != gpa)
        at++;
    if (at == hints->n && hints->n < MEMCTX_HINTS_MAX)
        hints->n++;
    if (at == MEMCTX_HINTS_MAX)
        at--;
    if (good) {
        memmove(&hints->gpa[1], &hints->gpa[0], at * sizeof(hints->gpa[0]));
        at = 0;
    }
    hints->gpa[at] = gpa;
}
