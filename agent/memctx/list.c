/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx list: all domains that the agent knows. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "memctx/connect.h"
#include "memctx/print.h"
#include "text/jsonguard.h"

struct list_options {
    bool json;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_JSON(struct list_options),
    OPTIONS_END,
};

static int
by_id(const void *a, const void *b)
{
    json_object *x = *(json_object *const *)a;
    json_object *y = *(json_object *const *)b;
    return json_object_get_int(json_object_object_get(x, "id")) -
           json_object_get_int(json_object_object_get(y, "id"));
}

static enum exit_code
run(const struct invocation *in)
{
    const struct list_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(connect_cleanup_agent) struct memctx_agent *agent = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    if (connect_agent(&in->common, &agent, &err) < 0 ||
        memctx_agent_list(agent, &text, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *domains = json_tokener_parse(text);
    if (domains == NULL)
        return command_fail(EXIT_ERROR, "out of memory");
    json_object_array_sort(domains, by_id);
    if (options->json) {
        print_json(domains);
        return EXIT_DONE;
    }
    print_domain_head();
    for (size_t i = 0; i < json_object_array_length(domains); i++)
        print_domain(json_object_array_get_idx(domains, i));
    return EXIT_DONE;
}

const struct command command_list = {
    .name = "list",
    .group = COMMAND_DOMAINS,
    .summary = "list the domains, their state and the reason for it",
    .usage = "list [--json]",
    .description =
        "Print a line for each running domain: its id, name and state, its "
        "generation, which counts the kernels of this run, and the reason "
        "where it is not ready, or where somebody else keeps changing its "
        "metadata. Where the clock of its kernel has stood for a second or "
        "more, say for how long.",
    .options = option_table,
    .options_size = sizeof(struct list_options),
    .run = run,
};
