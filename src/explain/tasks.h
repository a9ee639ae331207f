/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The processes of a Linux guest, as ps(1) in the guest lists them: those of
 * the list that begins at init_task. Threads are left out, as there. */
#ifndef MEMCTX_TASKS_H
#define MEMCTX_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explain/btf.h"
#include "explain/landmarks.h"
#include "explain/target.h"

#define MEMCTX_TASK_NAME_MAX 32     /* TASK_COMM_LEN is 16, with the NUL */
#define MEMCTX_TASKS_MAX (1u << 18) /* what of a longer list is kept */

struct memctx_task {
    uint64_t gva; /* of its task_struct */
    uint32_t pid;
    uint32_t ppid; /* of the process that gets its exit status; 0: none */
    uint32_t uid;  /* real one */
    char state;    /* a letter of ps(1): R S D T t X Z P I */
    bool is_kernel_thread;
    bool has_start;
    uint64_t start_nsec;             /* after the boot, when it began */
    char name[MEMCTX_TASK_NAME_MAX]; /* the guest's: any bytes but NUL */
};

struct memctx_tasks {
    struct memctx_task *task; /* owned; in order of pid, no pid twice */
    size_t n;
};

#define MEMCTX_TASKS_INIT \
    {                     \
        .task = NULL      \
    }

void memctx_tasks_deinit(struct memctx_tasks *tasks);

/* List the processes from the task_struct init_task on, which is none of them.
 * 0 when the list is whole; -1 with RETRY when it broke off (a link leads
 * nowhere or back into the list, it is longer than MEMCTX_TASKS_MAX, no work is
 * left), with *ret as far as it came: `err` says so and why; -1 with PERMANENT:
 * the BTF does not tell what a task is; EXHAUSTED. The caller deinits *ret.
 *
 * A guest that runs changes the list meanwhile. A link is followed only if the
 * next task leads back; where it does not, the list is taken up again at the
 * last task that is still in it. A process that lives all the time is listed.
 * What has ended meanwhile may be. */
int memctx_tasks_read(struct memctx_target *target,
                      const struct memctx_btf *btf, uint64_t init_task_gva,
                      struct memctx_tasks *ret, struct memctx_error *err);

/* The same, from where the landmarks say that init_task is, or it is found. */
int memctx_tasks_list(struct memctx_target *target,
                      const struct memctx_btf *btf,
                      const struct memctx_landmarks *landmarks,
                      struct memctx_tasks *ret, struct memctx_error *err);

/* Find init_task in the image of a kernel that has no such symbol: what is
 * called swapper, has the pid 0 and is followed by pid 1. 0, or -1 with
 * PERMANENT: it is not there. */
int memctx_tasks_search(struct memctx_target *target,
                        const struct memctx_btf *btf, uint64_t *init_task_gva,
                        struct memctx_error *err);

#endif
