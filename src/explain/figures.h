/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How a Linux guest is: the figures of its /proc/meminfo, /proc/uptime and
 * /proc/loadavg, and whether its kernel has failed. Each is there or not, by
 * what the kernel tells. */
#ifndef MEMCTX_FIGURES_H
#define MEMCTX_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "explain/btf.h"
#include "explain/landmarks.h"
#include "explain/target.h"
#include "explain/tasks.h"

/* Bytes of memory as in /proc/meminfo; buffers only where the kernel names
 * them, else they are counted with what is cached. */
enum memctx_figure {
    MEMCTX_FIGURE_UPTIME,    /* seconds since the boot, up to the last tick
                                of the guest's clock */
    MEMCTX_FIGURE_BOOTED,    /* when that was: seconds since 1970, UTC */
    MEMCTX_FIGURE_LOAD_1,    /* load average of a minute, in hundredths */
    MEMCTX_FIGURE_LOAD_5,    /* ... of five */
    MEMCTX_FIGURE_LOAD_15,   /* ... of fifteen */
    MEMCTX_FIGURE_THREADS,   /* of all processes, and of the kernel */
    MEMCTX_FIGURE_MEM_TOTAL, /* bytes, from here on */
    MEMCTX_FIGURE_MEM_FREE,
    MEMCTX_FIGURE_MEM_AVAILABLE,
    MEMCTX_FIGURE_BUFFERS,
    MEMCTX_FIGURE_CACHED,
    MEMCTX_FIGURE_SHMEM,
    MEMCTX_FIGURE_TAINTED, /* bits of /proc/sys/kernel/tainted */
    MEMCTX_FIGURES
};

/* Its name, "mem_total", as memctx stat --json has it. */
const char *memctx_figure_key(enum memctx_figure figure);

#define MEMCTX_HOSTNAME_MAX 80 /* __NEW_UTS_LEN is 64 */
#define MEMCTX_COMMAND_LINE_MAX 4096

struct memctx_figures {
    uint64_t has; /* 1 << enum memctx_figure */
    uint64_t value[MEMCTX_FIGURES];
    bool has_panicked; /* it can be said whether it has, and */
    bool panicked;     /* the kernel has panicked */
    bool oopsed;       /* ... has had an oops (the taint flag D) */
    /* The guest's: any bytes but NUL; "" if they are not known. */
    char hostname[MEMCTX_HOSTNAME_MAX];
    char command_line[MEMCTX_COMMAND_LINE_MAX];
};

static inline bool
memctx_figures_has(const struct memctx_figures *figures,
                   enum memctx_figure figure)
{
    return (figures->has >> figure & 1) != 0;
}

/* Read all figures that can be had; `btf` NULL: the kernel has no types, and
 * memory and time cannot; `tasks` NULL: see meminfo.h. Any thread. Never fails:
 * what cannot be read is not there. */
void memctx_figures_read(struct memctx_target *target,
                         const struct memctx_btf *btf,
                         const struct memctx_landmarks *landmarks,
                         const struct memctx_tasks *tasks,
                         struct memctx_figures *ret);

#endif
