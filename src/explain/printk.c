/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tells which kind of log a kernel has. */
#include "explain/printk.h"

#include <inttypes.h>
#include <stdlib.h>

#include "explain/log.h"
#include "paging/paging.h"

struct memctx_printk {
    const struct memctx_log_ops *ops;
    void *log;
};

static const struct memctx_log_ops *
ops_of(const struct memctx_target *target)
{
    return memctx_target_has(target, "SYMBOL(prb)") ? &memctx_ring_log
                                                    : &memctx_buffer_log;
}

int
memctx_printk_open(const struct memctx_target *target,
                   struct memctx_printk **ret, struct memctx_error *err)
{
    const struct memctx_log_ops *ops = ops_of(target);
    struct memctx_printk *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (ops->open(target, &log->log, err) < 0) {
        free(log);
        return -1;
    }
    log->ops = ops;
    *ret = log;
    return 0;
}

void
memctx_printk_close(struct memctx_printk *log)
{
    if (log == NULL)
        return;
    log->ops->close(log->log);
    free(log);
}

void
memctx_printk_cleanup(struct memctx_printk **log)
{
    memctx_printk_close(*log);
}

int
memctx_printk_next(struct memctx_printk *log, enum memctx_printk_reach reach,
                   struct memctx_printk_record *ret, struct memctx_error *err)
{
    return log->ops->next(log->log, reach, ret, err);
}

int
memctx_printk_seek_last(struct memctx_printk *log, uint64_t n,
                        struct memctx_error *err)
{
    return log->ops->seek_last(log->log, n, err);
}

int
memctx_printk_head(const struct memctx_target *target, uint64_t *gpa,
                   unsigned *bytes, struct memctx_error *err)
{
    const struct memctx_rammap *map = target->view.map;
    struct memctx_walk walk;
    unsigned size;
    uint64_t gva;
    if (ops_of(target)->head(target, &gva, &size, err) < 0 ||
        memctx_paging_walk(map, target->view.paging, target->view.root_gpa, gva,
                           &walk, err) < 0)
        return -1;
    if (gva % size != 0 || !memctx_rammap_contains(map, walk.gpa, size))
        return memctx_error_set(
            err, MEMCTX_RETRY,
            "the log's head at gva %#" PRIx64 " is no word of RAM", gva);
    *gpa = walk.gpa;
    *bytes = size;
    return 0;
}
