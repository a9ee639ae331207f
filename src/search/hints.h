/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Places where clues of one system were, the most promising first. */
#ifndef MEMCTX_HINTS_H
#define MEMCTX_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMCTX_HINTS_MAX 16

struct memctx_hints {
    uint64_t gpa[MEMCTX_HINTS_MAX];
    size_t n;
};

/* Note a clue at gpa. A good one, which passed a check, goes to the front;
 * others go to the end. If the table is full, the last one is dropped. */
void memctx_hints_add(struct memctx_hints *hints, uint64_t gpa, bool good);

#endif
