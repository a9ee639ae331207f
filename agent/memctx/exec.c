/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx exec: becomes a command that inherits the descriptors of a guest's
 * RAM, and finds the rest in its environment. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "memctx/connect.h"
#include "memctx/environment.h"

struct exec_options {
    int64_t timeout_ms;
};

static const struct option_row option_table[] = {
    COMMAND_OPTION_TIMEOUT(struct exec_options),
    OPTIONS_END,
};

/* As a shell exits that cannot run a command. */

static enum exit_code
run(const struct invocation *in)
{
    const struct exec_options *options = in->options;
    const char *domain = in->words[0];
    char **command = in->words + 1;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(connect_cleanup_reader) struct memctx_reader *reader = NULL;
    enum exit_code code =
        connect_reader(&in->common, domain, options->timeout_ms, &reader);
    if (code != EXIT_DONE)
        return code;
    if (environment_put(reader, domain, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    return command_become(command[0], command);
}

const struct command command_exec = {
    .name = "exec",
    .group = COMMAND_MEMORY,
    .summary = "run a command that can read the guest's RAM",
    .usage = "exec DOMAIN [--timeout S] -- COMMAND [ARGUMENT]...",
    .description =
        "Run COMMAND in place of memctx. It inherits read-only descriptors "
        "of the guest's RAM and finds the datum in its environment: "
        "MEMCTX_FDS, MEMCTX_KCR3 and others, see memctx(1). It must read "
        "with pread(2): mapping the RAM would allocate pages that the guest "
        "never touched." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN", "COMMAND"},
    .min_words = 2,
    .max_words = INT_MAX,
    .options = option_table,
    .options_size = sizeof(struct exec_options),
    .run = run,
};
