/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a search tells of its steps to who wants to see them. It prints nothing
 * itself. Each step is one that the map's work has paid for, so that there are
 * no more of them than a guest can make us do anyway. */
#ifndef MEMCTX_SEARCH_TRACE_H
#define MEMCTX_SEARCH_TRACE_H

#include <stdint.h>

#include "base/error.h"
#include "guest/kernel.h"

enum memctx_trace_kind {
    MEMCTX_TRACE_FOLLOWED, /* a system's own structures: `size` bytes of them */
    MEMCTX_TRACE_AGAIN,    /* RAM is looked at once more, for clues that the
                              first look passes over */
    MEMCTX_TRACE_SCANNED,  /* `size` bytes at `gpa` */
    MEMCTX_TRACE_FAILED,   /* the clue at `gpa` leads to no kernel: `why` */
    MEMCTX_TRACE_FOUND     /* the clue at `gpa` leads to `kernel` */
};

struct memctx_trace_step {
    enum memctx_trace_kind kind;
    enum memctx_os os; /* UNKNOWN: all systems */
    uint64_t gpa;
    uint64_t size;
    unsigned passed; /* checks that a clue passed before it failed */
    const struct memctx_error *why;     /* may hold what a guest has written */
    const struct memctx_kernel *kernel; /* so may its texts */
};

struct memctx_trace {
    void (*step)(const struct memctx_trace_step *step, void *arg);
    void *arg;
};

#endif
