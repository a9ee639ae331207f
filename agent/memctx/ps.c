/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx ps: the processes of a guest. */
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "explain/explain.h"
#include "memctx/explained.h"
#include "memctx/print.h"
#include "memctx/quote.h"
#include "text/jsonguard.h"

struct ps_options {
    struct explained_from from;
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct ps_options),
    EXPLAINED_OPTIONS(struct ps_options),
    OPTIONS_END,
};

/* ---- reading ------------------------------------------------------------ */

static int
read_list(struct explained *explained, struct memctx_process_list **ret,
          struct memctx_error *err)
{
    struct memctx_error why = MEMCTX_ERROR_INIT;
    if (explained_begin(explained, MEMCTX_EXPLAIN_STEPS, err) < 0)
        return -1;
    int result = memctx_explain_processes(&explained->target, ret, &why);
    return explained_end(explained, result, &why, err);
}

/* ---- printing ----------------------------------------------------------- */

static double
start_of(const struct memctx_process_info *process)
{
    return (double)process->start_ns / 1e9;
}

static void
print_number(uint64_t number)
{
    if (number == MEMCTX_UNKNOWN)
        printf("%7s ", "-");
    else
        printf("%7" PRIu64 " ", number);
}

static void
print_row(const struct memctx_process_info *process)
{
    print_number(process->pid);
    print_number(process->ppid);
    print_number(process->uid);
    putchar(process->state != '\0' ? process->state : '-');
    if (process->start_ns != MEMCTX_UNKNOWN)
        printf(" %10.2f", start_of(process));
    else
        printf(" %10s", "-");
    fputs(process->is_kernel ? " [" : " ", stdout);
    quote_print(process->name);
    puts(process->is_kernel ? "]" : "");
}

static void
print_rows(const struct memctx_process_list *list)
{
    const struct memctx_process_info *process;
    printf("%7s %7s %7s %s %10s %s\n", "PID", "PPID", "UID", "S", "START",
           "NAME");
    for (size_t i = 0; (process = memctx_process_list_at(list, i)) != NULL; i++)
        print_row(process);
}

static void
add_number(json_object *object, const char *key, uint64_t number)
{
    if (number != MEMCTX_UNKNOWN)
        json_object_object_add(object, key, json_object_new_uint64(number));
}

static void
add_state(json_object *object, const struct memctx_process_info *process)
{
    const char state[] = {process->state, '\0'};
    if (process->state == '\0')
        return;
    json_object_object_add(object, "state", json_object_new_string(state));
    json_object_object_add(object, "kernel_thread",
                           json_object_new_boolean(process->is_kernel));
}

static void
add_start(json_object *object, const struct memctx_process_info *process)
{
    char text[32];
    if (process->start_ns == MEMCTX_UNKNOWN)
        return;
    snprintf(text, sizeof(text), "%.3f", start_of(process));
    json_object_object_add(object, "start",
                           json_object_new_double_s(start_of(process), text));
}

static void
print_object(const struct memctx_process_info *process)
{
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *object = json_object_new_object();
    add_number(object, "pid", process->pid);
    add_number(object, "ppid", process->ppid);
    add_number(object, "uid", process->uid);
    add_state(object, process);
    add_start(object, process);
    quote_add(object, "name", process->name);
    print_member(object);
}

/* One after the other: a guest may have very many. */
static void
print_objects(const struct memctx_process_list *list)
{
    const struct memctx_process_info *process;
    printf("{\"processes\":[");
    for (size_t i = 0; (process = memctx_process_list_at(list, i)) != NULL;
         i++) {
        if (i > 0)
            putchar(',');
        print_object(process);
    }
    printf("],\"complete\":%s}\n",
           memctx_process_list_broken(list) == NULL ? "true" : "false");
}

static enum exit_code
run(const struct invocation *in)
{
    const struct ps_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_process_list_cleanup)
    struct memctx_process_list *list = NULL;
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
        print_objects(list);
    else
        print_rows(list);
    return subject_broken(&explained.subject, memctx_process_list_broken(list));
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
