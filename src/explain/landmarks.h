/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where the few variables of a kernel are that this room reads. Kernels without
 * CONFIG_KALLSYMS_ALL name none: each user has another way, or does without. */
#ifndef MEMCTX_LANDMARKS_H
#define MEMCTX_LANDMARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "explain/target.h"
#include "memctx.h"

/* Every variable, and its name. */
#define MEMCTX_LANDMARKS(X)                       \
    X(START_BTF, "__start_BTF")                   \
    X(STOP_BTF, "__stop_BTF")                     \
    X(INIT_TASK, "init_task")                     \
    X(MODULES, "modules")                         \
    X(TOTALRAM_PAGES, "_totalram_pages")          \
    X(AVENRUN, "avenrun")                         \
    X(NR_THREADS, "nr_threads")                   \
    X(TAINTED_MASK, "tainted_mask")               \
    X(PANIC_CPU, "panic_cpu")                     \
    X(COMMAND_LINE, "saved_command_line")         \
    X(BLOCKDEV_SUPERBLOCK, "blockdev_superblock") \
    X(TIMEKEEPER, "shadow_timekeeper")            \
    X(TK_CORE, "tk_core")                         \
    X(TIMEKEEPERS, "timekeeper_data")

enum memctx_landmark {
#define MEMCTX_LANDMARK_CONSTANT(landmark, name) MEMCTX_AT_##landmark,
    MEMCTX_LANDMARKS(MEMCTX_LANDMARK_CONSTANT)
#undef MEMCTX_LANDMARK_CONSTANT
    MEMCTX_LANDMARKS_END
};

/* {0} knows none. */
struct memctx_landmarks {
    uint64_t gva[MEMCTX_LANDMARKS_END]; /* 0: not known */
};

/* Find all that the symbols of the kernel tell; a landmark without a symbol is
 * 0 in *ret. 0, or -1 as memctx_symbols_read(): *ret knows none then, and who
 * can do without goes on. */
int memctx_landmarks_read(const struct memctx_target *target,
                          struct memctx_landmarks *ret,
                          struct memctx_error *err);

/* The same, of symbols that were read before. */
void memctx_landmarks_take(const struct memctx_symbols *symbols,
                           struct memctx_landmarks *ret);

#endif
