/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx ps: the processes of a guest. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/btfread.h"
#include "explain/tasks.h"
#include "memctx/explained.h"
#include "memctx/print.h"
#include "memctx/quote.h"
#include "search/guests.h"
#include "text/jsonguard.h"

#define STEPS (UINT64_C(1) << 22) /* of the longest list */
#define WINDOWS_MAX 16384
#define WINDOWS_STEPS (UINT64_C(64) * WINDOWS_MAX)

struct ps_options {
    struct explained_from from;
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct ps_options),
    EXPLAINED_OPTIONS(struct ps_options),
    OPTIONS_END,
};

/* What is known of one process; Windows tells less. */
struct process {
    uint64_t pid;
    const struct memctx_task *task; /* NULL: of Windows */
    const char *name;
};

/* A list, and why it is not whole. */
struct list {
    struct memctx_tasks tasks;      /* of Linux */
    struct memctx_process *windows; /* owned; NULL: Linux */
    size_t n;
    struct memctx_error broke_off;
};

static void
list_deinit(struct list *list)
{
    memctx_tasks_deinit(&list->tasks);
    free(list->windows);
}

static struct process
process_of(const struct list *list, size_t i)
{
    if (list->windows != NULL)
        return (struct process){list->windows[i].pid, NULL,
                                list->windows[i].name};
    const struct memctx_task *task = &list->tasks.task[i];
    return (struct process){task->pid, task, task->name};
}

/* ---- reading ------------------------------------------------------------ */

static int
read_tasks(struct explained *explained, struct list *ret,
           struct memctx_error *err)
{
    const struct memctx_landmarks landmarks = {{0}};
    struct memctx_btf *btf;
    if (memctx_btf_take(&explained->target, &landmarks, &btf, err) < 0)
        return -1;
    int failed = memctx_tasks_list(&explained->target, btf, &landmarks,
                                   &ret->tasks, err);
    memctx_btf_destroy(btf);
    ret->n = ret->tasks.n;
    return failed;
}

static int
read_windows(struct explained *explained, struct list *ret,
             struct memctx_error *err)
{
    const struct memctx_kernel *kernel = &explained->subject.datum.kernel;
    const struct memctx_guest_ops *guest = memctx_guests[kernel->os];
    if (guest == NULL || guest->processes == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "memctx cannot list the processes of %s",
                                kernel->version);
    ret->windows = calloc(WINDOWS_MAX, sizeof(ret->windows[0]));
    if (ret->windows == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    return guest->processes(explained->map, kernel, ret->windows, WINDOWS_MAX,
                            &ret->n, err);
}

/* A list that broke off is a list, if there is something in it. */
static int
read_list(struct explained *explained, struct list *ret,
          struct memctx_error *err)
{
    bool is_linux = explained->subject.datum.kernel.os == MEMCTX_OS_LINUX;
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, is_linux ? STEPS : WINDOWS_STEPS, err) < 0)
        return -1;
    int result = is_linux ? read_tasks(explained, ret, &why)
                          : read_windows(explained, ret, &why);
    if (explained_end(explained, ret->n > 0 ? 0 : result, &why, err) < 0)
        return -1;
    ret->broke_off = why;
    return 0;
}

/* ---- printing ----------------------------------------------------------- */

static double
start_of(const struct memctx_task *task)
{
    return (double)task->start_nsec / 1e9;
}

static void
print_row(const struct process *process)
{
    const struct memctx_task *task = process->task;
    bool is_kernel = task != NULL && task->is_kernel_thread;
    printf("%7" PRIu64, process->pid);
    if (task != NULL)
        printf(" %7" PRIu32 " %7" PRIu32 " %c", task->ppid, task->uid,
               task->state);
    else
        printf(" %7s %7s %s", "-", "-", "-");
    if (task != NULL && task->has_start)
        printf(" %10.2f", start_of(task));
    else
        printf(" %10s", "-");
    fputs(is_kernel ? " [" : " ", stdout);
    quote_print(process->name);
    puts(is_kernel ? "]" : "");
}

static void
print_rows(const struct list *list)
{
    printf("%7s %7s %7s %s %10s %s\n", "PID", "PPID", "UID", "S", "START",
           "NAME");
    for (size_t i = 0; i < list->n; i++) {
        const struct process process = process_of(list, i);
        print_row(&process);
    }
}

static void
add_start(json_object *object, const struct memctx_task *task)
{
    char text[32];
    snprintf(text, sizeof(text), "%.3f", start_of(task));
    json_object_object_add(object, "start",
                           json_object_new_double_s(start_of(task), text));
}

static void
print_object(const struct process *process)
{
    const struct memctx_task *task = process->task;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *object = json_object_new_object();
    json_object_object_add(object, "pid", json_object_new_uint64(process->pid));
    if (task != NULL) {
        const char state[] = {task->state, '\0'};
        json_object_object_add(object, "ppid",
                               json_object_new_uint64(task->ppid));
        json_object_object_add(object, "uid",
                               json_object_new_uint64(task->uid));
        json_object_object_add(object, "state", json_object_new_string(state));
        json_object_object_add(object, "kernel_thread",
                               json_object_new_boolean(task->is_kernel_thread));
    }
    if (task != NULL && task->has_start)
        add_start(object, task);
    quote_add(object, "name", process->name);
    print_member(object);
}

/* One after the other: a guest may have very many. */
static void
print_objects(const struct list *list)
{
    bool is_whole = list->broke_off.kind == MEMCTX_OK;
    printf("{\"processes\":[");
    for (size_t i = 0; i < list->n; i++) {
        const struct process process = process_of(list, i);
        if (i > 0)
            putchar(',');
        print_object(&process);
    }
    printf("],\"complete\":%s}\n", is_whole ? "true" : "false");
}

static enum exit_code
run(const struct invocation *in)
{
    const struct ps_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(list_deinit) struct list list = {.n = 0};
    MEMCTX_CLEANUP(explained_deinit)
    struct explained explained = EXPLAINED_INIT;
    enum exit_code code = explained_open(in, &options->from, &explained);
    if (code == EXIT_DONE)
        code = explained_enter(&explained, NULL);
    if (code != EXIT_DONE)
        return code;
    if (read_list(&explained, &list, &err) < 0)
        return subject_fail(&explained.subject, &err);
    if (options->json)
        print_objects(&list);
    else
        print_rows(&list);
    return list.broke_off.kind == MEMCTX_OK
               ? EXIT_DONE
               : subject_fail(&explained.subject, &list.broke_off);
}

const struct command command_ps = {
    .name = "ps",
    .group = COMMAND_MEMORY,
    .summary = "list the processes of a guest",
    .usage = "ps DOMAIN [--json] [--timeout S]\n"
             "ps --ram FILE [--low SIZE] [--ram-format FORM] [--json]",
    .description =
        "List the processes that a guest has, from its memory: of Linux with "
        "parent, user, state, and seconds after the boot when each began; of "
        "Windows pids and names. Threads are left out; kernel threads are in "
        "brackets.\n\n"
        "For Linux the kernel's own types are needed (CONFIG_DEBUG_INFO_BTF). "
        "If the list broke off, what there is of it is printed and memctx "
        "exits with 1." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN"},
    .min_words = 0,
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct ps_options),
    .run = run,
};
