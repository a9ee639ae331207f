/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx boots: the kernels that have ended, of which memctxd kept the log. */
#include <inttypes.h>
#include <stdio.h>

#include "memctx/keptlogs.h"
#include "memctx/print.h"
#include "memctx/quote.h"
#include "text/jsonguard.h"

struct boots_options {
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct boots_options),
    OPTIONS_END,
};

static void
add_json(json_object *array, const struct keptlogs *logs,
         const struct keptlog *log)
{
    const struct bootlog *head = &log->head;
    char path[PATH_MAX + BOOTLOG_NAME_SIZE];
    json_object *object = json_object_new_object();
    snprintf(path, sizeof(path), "%s/%s", logs->path, log->name);
    quote_add(object, "domain", head->domain);
    quote_add(object, "uuid", head->uuid);
    json_object_object_add(object, "boot", json_object_new_int(log->boot));
    quote_add(object, "ended", head->ended);
    quote_add(object, "end", head->end);
    json_object_object_add(object, "generation",
                           json_object_new_uint64(head->generation));
    json_object_object_add(object, "records",
                           json_object_new_uint64(head->records));
    quote_add(object, "kernel", head->kernel);
    if (head->missing[0] != '\0')
        quote_add(object, "missing", head->missing);
    quote_add(object, "file", path);
    json_object_array_add(array, object);
}

static void
print_line(const struct keptlog *log, bool names)
{
    const struct bootlog *head = &log->head;
    printf("%5d  %-20s  %-8s  %10" PRIu64 "  %7" PRIu64 "  %s", log->boot,
           head->ended, head->end, head->generation, head->records,
           head->kernel);
    if (names)
        printf("  %s", head->domain);
    if (head->missing[0] != '\0')
        printf("  (%s)", head->missing);
    putchar('\n');
}

static void
print_table(const struct keptlogs *logs, bool names)
{
    printf("%5s  %-20s  %-8s  %10s  %7s  Kernel%s\n", "Boot", "Ended", "How",
           "Generation", "Records", names ? "  Domain" : "");
    for (size_t i = 0; i < logs->n; i++)
        print_line(&logs->logs[i], names);
}

static enum exit_code
run(const struct invocation *in)
{
    MEMCTX_CLEANUP(keptlogs_deinit) struct keptlogs logs = KEPTLOGS_INIT;
    const struct boots_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const char *domain = in->words[0]; /* NULL: none was given */
    if (keptlogs_open(&in->common, domain, &logs, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (options->json) {
        MEMCTX_CLEANUP(memctx_cleanup_json)
        json_object *array = json_object_new_array();
        for (size_t i = 0; i < logs.n; i++)
            add_json(array, &logs, &logs.logs[i]);
        print_json(array);
    } else if (logs.n > 0) {
        print_table(&logs, domain == NULL);
    }
    if (logs.n > 0)
        return EXIT_DONE;
    return command_fail(EXIT_NOT_THERE,
                        "no log was kept in %s (see keep_logs in "
                        "memctxd.conf(5))",
                        logs.path);
}

const struct command command_boots = {
    .name = "boots",
    .group = COMMAND_DOMAINS,
    .summary = "list the kernels whose logs were kept when they ended",
    .usage = "boots [DOMAIN] [--json]",
    .description =
        "Print a line for each kernel that has ended and whose log memctxd has "
        "kept (keep_logs in memctxd.conf), the last one first: when it ended "
        "and how, its generation, how many records there are, and what is "
        "missing of them. memctx dmesg DOMAIN --boot N prints the log.\n\n"
        "It ended by a reset (of the host or by the guest's reboot), a panic, "
        "as its QEMU stopped, or it was replaced by another kernel, by kexec "
        "say. A kernel that is silent hangs, and may still run on.\n\n"
        "DOMAIN is the name or the UUID of a domain, which need not run; "
        "without it, all are listed.",
    .arguments = {"DOMAIN"},
    .max_words = 1,
    .options = option_table,
    .options_size = sizeof(struct boots_options),
    .run = run,
};
