/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How the sub-commands come to an agent, and to a domain's RAM. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "reader/client.h"
#include "base/cleanup.h"
#include "memctx/cmd.h"

void
cmd_cleanup_agent(struct memctx_agent **agent)
{
    memctx_agent_disconnect(*agent);
}

void
cmd_cleanup_reader(struct memctx_reader **reader)
{
    memctx_reader_close(*reader);
}

int
cmd_find_agent(const struct options *options, char *dir, size_t size,
               struct memctx_error *err)
{
    char path[PATH_MAX];
    if (options->runtime_dir == NULL)
        return client_find(options->uri, dir, size, err);
    if (realpath(options->runtime_dir, path) == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "no agent has the directory %s",
                                options->runtime_dir);
    return client_find(path, dir, size, err);
}

int
cmd_connect(const struct options *options, struct memctx_agent **ret,
            struct memctx_error *err)
{
    char dir[PATH_MAX];
    if (cmd_find_agent(options, dir, sizeof(dir), err) < 0)
        return -1;
    return memctx_agent_connect(dir, ret, err);
}

int
cmd_open(const struct options *options, const char *domain,
         struct memctx_reader **ret, enum exit_code *code)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(cmd_cleanup_agent) struct memctx_agent *agent = NULL;
    bool waits = options->timeout_ms >= 0;
    int timeout_ms = !waits                          ? 0
                     : options->timeout_ms > INT_MAX ? INT_MAX
                                                     : (int)options->timeout_ms;
    if (cmd_connect(options, &agent, &err) == 0 &&
        memctx_reader_open(agent, domain, timeout_ms, ret, &err) == 0)
        return 0;
    *code = err.kind != MEMCTX_RETRY ? EXIT_ERROR
            : waits                  ? EXIT_TIMEOUT
                                     : EXIT_NOT_THERE;
    cmd_fail(*code, "%s", err.message);
    return -1;
}
