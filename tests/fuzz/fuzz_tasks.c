/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A list of tasks of which bytes were changed (changes.h): found, and listed.
 */
#include "fuzz.h"

#include <string.h>

#include "changes.h"
#include "charged.h"
#include "cost.h"
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

/* Built once: tasks in four pages, and the tables that map them. */
static const struct fuzz_guest *
built_guest(struct explimg *x)
{
    static struct fuzz_guest guest;
    static struct explimg built;
    if (guest.ram == NULL) {
        explimg_init(&built);
        taskimg_init(&built);
        taskimg_add_many(&built, TASKS);
        uint64_t tasks_gpa = built.built.text_gpa + EXPLIMG_ROOM;
        for (unsigned i = 0; i < 4; i++)
            guest.places[guest.n_places++] = tasks_gpa + i * MEMCTX_PAGE_SIZE;
        for (unsigned i = 0; i < 5; i++)
            guest.places[guest.n_places++] =
                built.built.root_gpa + i * MEMCTX_PAGE_SIZE;
        guest.tables_gpa = MEMCTX_MIB;
        guest.entry_bytes = 8;
        guest.no_execute = MEMCTX_PTE_NX;
        guest.ram = memram_create(&built.img);
        explimg_deinit(&built);
    }
    memram_rewind(guest.ram);
    *x = built;
    return &guest;
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
    static struct memctx_btf *btf;
    struct explimg x;
    struct memctx_target target;
    struct memctx_tasks tasks;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_work work;
    uint64_t init_task_gva;
    if (btf == NULL)
        btf = make_types();
    const struct fuzz_guest *guest = built_guest(&x);
    fuzz_change(guest, 0, data, size);
    struct memctx_rammap *map = memram_rammap(guest->ram, 4 * MEMCTX_GIB);
    charge_map(&map, &work, FUZZ_STEPS);
    memctx_target_init(&target, map, &x.kernel, NULL, 0);
    struct fuzz_cost cost = fuzz_cost_begin(guest->ram, FUZZ_STEPS);
    memctx_tasks_search(&target, btf, &init_task_gva, NULL);
    if (memctx_tasks_read(&target, btf, taskimg_gva(&x, 0), &tasks, &err) < 0)
        FUZZ_MUST(err.kind == MEMCTX_RETRY);
    fuzz_cost_end(&cost);
    check(&tasks);
    memctx_tasks_deinit(&tasks);
    memctx_rammap_destroy(map);
}
