/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* By the kernel's own BTF. */
#include "explain/taskfields.h"

#include "explain/btfread.h"
#include "explain/fields.h"
#include "explain/tasks.h"

enum {
    TASKS,
    MM,
    PID,
    COMM,
    PGD,
    FIELDS
};

static const struct memctx_wish wishes[FIELDS] = {
    [TASKS] = {"task_struct", "tasks", NULL, false},
    [MM] = {"task_struct", "mm", NULL, false},
    [PID] = {"task_struct", "pid", NULL, false},
    [COMM] = {"task_struct", "comm", NULL, false},
    [PGD] = {"mm_struct", "pgd", NULL, false},
};

int
memctx_taskfields_find(struct memctx_target *target,
                       const struct memctx_btf *btf,
                       const struct memctx_landmarks *landmarks,
                       struct memctx_taskfields *ret, struct memctx_error *err)
{
    struct memctx_field field[FIELDS];
    uint64_t init_task_gva = landmarks->gva[MEMCTX_AT_INIT_TASK];
    if (memctx_fields_find(target, btf, wishes, FIELDS, field, err) < 0)
        return -1;
    if (init_task_gva == 0 &&
        memctx_tasks_search(target, btf, &init_task_gva, err) < 0)
        return -1;
    *ret = (struct memctx_taskfields){
        .init_task_gva = init_task_gva,
        .tasks = field[TASKS].offset,
        .mm = field[MM].offset,
        .pid = field[PID].offset,
        .comm = field[COMM].offset,
        .pgd = field[PGD].offset,
    };
    return 0;
}

int
memctx_taskfields_read(struct memctx_target *target,
                       struct memctx_taskfields *ret, struct memctx_error *err)
{
    struct memctx_landmarks landmarks;
    struct memctx_btf *btf;
    memctx_landmarks_read(target, &landmarks, NULL);
    if (memctx_btf_take(target, &landmarks, &btf, err) < 0)
        return -1;
    int result = memctx_taskfields_find(target, btf, &landmarks, ret, err);
    memctx_btf_destroy(btf);
    return result;
}
