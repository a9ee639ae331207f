/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A list of tasks of which bytes were changed (changes.h): found, and listed.
 */
#include "fuzz.h"

#include <string.h>

#include "charged.h"
#include "cost.h"
#include "explguest.h"
#include "explain/tasks.h"
#include "taskimg.h"

#define TASKS 100u

static struct memctx_btf *
make_types(void)
{
    static struct btfimg types;
    btfimg_init(&types);
    taskimg_types(&types);
    return btfimg_open(&types);
}

static void
build(const struct explimg *x)
{
    taskimg_init(x);
    taskimg_add_many(x, TASKS);
}

static void
check(const struct memctx_tasks *tasks)
{
    for (size_t i = 0; i < tasks->n; i++) {
        const struct memctx_task *task = &tasks->task[i];
        FUZZ_MUST(i == 0 || task->pid > tasks->task[i - 1].pid);
        FUZZ_MUST(strchr("RSDTtXZPI", task->state) != NULL);
        FUZZ_MUST(strlen(task->name) < MEMCTX_TASK_NAME_MAX);
    }
}

void
fuzz_one(const uint8_t *data, size_t size)
{
    static struct explguest kept;
    static struct memctx_btf *btf;
    struct memctx_target target;
    struct memctx_tasks tasks;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_work work;
    uint64_t gva;
    if (btf == NULL)
        btf = make_types();
    explguest_rewind(&kept, build);
    fuzz_change(&kept.guest, 0, data, size);
    struct memctx_rammap *map = memram_rammap(kept.guest.ram, 4 * MEMCTX_GIB);
    charge_map(&map, &work, FUZZ_STEPS);
    memctx_target_init(&target, map, &kept.x.kernel, NULL, 0);
    struct fuzz_cost cost = fuzz_cost_begin(kept.guest.ram, FUZZ_STEPS);
    memctx_tasks_search(&target, btf, &gva, NULL);
    if (memctx_tasks_read(&target, btf, taskimg_gva(&kept.x, 0), &tasks, &err) <
        0)
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
    fuzz_cost_end(&cost);
    check(&tasks);
    memctx_tasks_deinit(&tasks);
    memctx_rammap_destroy(map);
}
