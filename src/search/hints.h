/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where clues of one system were, what is worth looking at again first. */
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

/* There was a clue at gpa. What is good, because it passed a check, goes in
 * front, what is not behind the others; when there is no room the last one
 * goes. */
void memctx_hints_add(struct memctx_hints *hints, uint64_t gpa, bool good);

#endif
