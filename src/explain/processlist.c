/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The processes of a guest as rows that are the same for Linux and Windows. */
#include "explain/explain.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/btfread.h"
#include "explain/tasks.h"
#include "search/guests.h"

#define WINDOWS_MAX 16384

struct memctx_process_list {
    struct memctx_tasks tasks;      /* of Linux: names are in here, */
    struct memctx_process *windows; /* or in here; owned */
    size_t n;
    struct memctx_process_info *rows; /* owned */
    struct memctx_error broken;
};

void
memctx_process_list_free(struct memctx_process_list *list)
{
    if (list == NULL)
        return;
    memctx_tasks_deinit(&list->tasks);
    free(list->windows);
    free(list->rows);
    free(list);
}

void
memctx_process_list_cleanup(struct memctx_process_list **list)
{
    memctx_process_list_free(*list);
}

const struct memctx_process_info *
memctx_process_list_at(const struct memctx_process_list *list, size_t index)
{
    return index < list->n ? &list->rows[index] : NULL;
}

const char *
memctx_process_list_broken(const struct memctx_process_list *list)
{
    return list->broken.kind == MEMCTX_OK ? NULL : list->broken.message;
}

/* ---- reading ------------------------------------------------------------- */

/* Where init_task is, the symbols tell; a kernel that names no data is looked
 * through. */
static int
read_tasks(struct memctx_target *target, struct memctx_process_list *list,
           struct memctx_error *err)
{
    struct memctx_landmarks landmarks;
    struct memctx_btf *btf;
    memctx_landmarks_read(target, &landmarks, NULL);
    if (memctx_btf_take(target, &landmarks, &btf, err) < 0)
        return -1;
    int result = memctx_tasks_list(target, btf, &landmarks, &list->tasks, err);
    memctx_btf_destroy(btf);
    list->n = list->tasks.n;
    return result;
}

static int
read_windows(struct memctx_target *target, struct memctx_process_list *list,
             struct memctx_error *err)
{
    const struct memctx_kernel *kernel = target->kernel;
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    if (guest == NULL || guest->processes == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctx cannot list the processes of %s",
                                kernel->version);
    list->windows = calloc(WINDOWS_MAX, sizeof(list->windows[0]));
    if (list->windows == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return guest->processes(target->view.map, kernel, list->windows,
                            WINDOWS_MAX, &list->n, err);
}

/* ---- rows ---------------------------------------------------------------- */

static struct memctx_process_info
row_of_task(const struct memctx_task *task)
{
    return (struct memctx_process_info){
        .pid = task->pid,
        .ppid = task->ppid,
        .uid = task->uid,
        .start_ns = task->has_start ? task->start_nsec : MEMCTX_UNKNOWN,
        .state = task->state,
        .is_kernel = task->is_kernel_thread,
        .name = task->name,
    };
}

static struct memctx_process_info
row_of_windows(const struct memctx_process *process)
{
    return (struct memctx_process_info){
        .pid = process->pid,
        .ppid = MEMCTX_UNKNOWN,
        .uid = MEMCTX_UNKNOWN,
        .start_ns = MEMCTX_UNKNOWN,
        .name = process->name,
    };
}

static int
make_rows(struct memctx_process_list *list, struct memctx_error *err)
{
    list->rows = calloc(list->n + 1, sizeof(list->rows[0]));
    if (list->rows == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    for (size_t i = 0; i < list->n; i++)
        list->rows[i] = list->windows != NULL
                            ? row_of_windows(&list->windows[i])
                            : row_of_task(&list->tasks.task[i]);
    return 0;
}

int
memctx_explain_processes(struct memctx_target *target,
                         struct memctx_process_list **ret,
                         struct memctx_error *err)
{
    bool is_linux = target->kernel->os == MEMCTX_OS_LINUX;
    MEMCTX_CLEANUP(memctx_process_list_cleanup)
    struct memctx_process_list *list = calloc(1, sizeof(*list));
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (list == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    int result = is_linux ? read_tasks(target, list, &why)
                          : read_windows(target, list, &why);
    if (result < 0 && list->n == 0)
        return memctx_error_pass(err, &why);
    if (result < 0)
        list->broken = why;
    if (make_rows(list, err) < 0)
        return -1;
    *ret = memctx_steal_ptr(&list);
    return 0;
}
