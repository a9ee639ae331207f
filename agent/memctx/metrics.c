/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx metrics: what the agent measures, for monitoring. */
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "memctx/connect.h"
#include "text/jsonguard.h"

struct metrics_options {
    bool prometheus;
};

static const struct option_row option_table[] = {
    {"prometheus", 0, OPTION_FLAG, NULL,
     offsetof(struct metrics_options, prometheus),
     "print the older text format, for node_exporter"},
    OPTIONS_END,
};

/* The whole file, which the agent made for this answer. */
static enum exit_code
print_file(int fd)
{
    char bytes[65536];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(fd, bytes, sizeof(bytes), at)) > 0) {
        fwrite(bytes, 1, (size_t)n, stdout);
        at += n;
    }
    return n < 0 ? command_fail(EXIT_ERROR, "cannot read the metrics")
                 : EXIT_DONE;
}

static enum exit_code
run(const struct invocation *in)
{
    const struct metrics_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(client_cleanup) struct client *client = NULL;
    MEMCTX_CLEANUP(client_packet_deinit)
    struct client_packet answer = {.n_fds = 0};
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *request = client_ask("metrics", NULL);
    json_object_object_add(request, "format",
                           json_object_new_string(options->prometheus
                                                      ? "prometheus"
                                                      : "openmetrics"));
    if (connect_client(&in->common, &client, &err) < 0 ||
        client_call(client, request, &answer, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (answer.n_fds != 1)
        return command_fail(EXIT_ERROR, "the agent sent no metrics");
    return print_file(answer.fds[0]);
}

const struct command command_metrics = {
    .name = "metrics",
    .group = COMMAND_DOMAINS,
    .summary = "print what the agent measures, for monitoring",
    .usage = "metrics [--prometheus]",
    .description =
        "Print the metrics of the agent and of all domains that you may list, "
        "as OpenMetrics text. They are described under METRICS in memctx(1).",
    .options = option_table,
    .options_size = sizeof(struct metrics_options),
    .run = run,
};
