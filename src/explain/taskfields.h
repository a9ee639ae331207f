/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Where a kernel's list of tasks begins and what of a task stands where: all
 * that a program needs that walks the list by itself. */
#ifndef MEMCTX_TASKFIELDS_H
#define MEMCTX_TASKFIELDS_H

#include "base/error.h"
#include "explain/btf.h"
#include "explain/landmarks.h"
#include "explain/target.h"

/* Offsets are bytes from the start of the task_struct, pgd of the mm_struct. */
struct memctx_taskfields {
    uint64_t init_task_gva;
    uint32_t tasks;
    uint32_t mm;
    uint32_t pid;
    uint32_t comm;
    uint32_t pgd;
};

/* Read them from the kernel's symbols and types. 0, or -1 with PERMANENT: it
 * was built without CONFIG_DEBUG_INFO_BTF, or there is no init_task; RETRY;
 * EXHAUSTED. */
int memctx_taskfields_read(struct memctx_target *target,
                           struct memctx_taskfields *ret,
                           struct memctx_error *err);

/* The same by types that were read before, and where the landmarks say that
 * init_task is, or it is found. */
int memctx_taskfields_find(struct memctx_target *target,
                           const struct memctx_btf *btf,
                           const struct memctx_landmarks *landmarks,
                           struct memctx_taskfields *ret,
                           struct memctx_error *err);

#endif
