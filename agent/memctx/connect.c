/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Connects commands to the agent. */
#include "memctx/connect.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "memctx/silence.h"
#include "reader/reader.h"
#include "wire/clocks.h"
#include "wire/uri.h"

void
connect_cleanup_agent(struct memctx_agent **agent)
{
    memctx_agent_disconnect(*agent);
}

void
connect_cleanup_reader(struct memctx_reader **reader)
{
    memctx_reader_close(*reader);
}

int64_t
connect_deadline(int64_t timeout_ms)
{
    return timeout_ms < 0 ? -1 : (int64_t)clocks_now_ms() + timeout_ms;
}

/* The agent's directory. --runtime-dir may be relative, which client_find()
 * would take for a URI. */
static int
find_dir(const struct common_options *common, char *dir, size_t size,
         struct memctx_error *err)
{
    char path[PATH_MAX];
    struct uri uri;
    if (common->runtime_dir == NULL)
        return client_find(common->uri, dir, size, err);
    if (common->uri != NULL && uri_parse(common->uri, &uri, err) < 0)
        return -1;
    if (realpath(common->runtime_dir, path) == NULL && errno == ENOENT)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "no agent has the directory %s",
                                common->runtime_dir);
    if (realpath(common->runtime_dir, path) == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "uid %u cannot enter the agent's directory "
                                "%s: %s",
                                (unsigned)geteuid(), common->runtime_dir,
                                strerror(errno));
    return client_find(path, dir, size, err);
}

int
connect_client(const struct common_options *common, struct client **ret,
               struct memctx_error *err)
{
    char dir[PATH_MAX];
    if (find_dir(common, dir, sizeof(dir), err) < 0)
        return -1;
    return client_create(dir, ret, err);
}

int
connect_agent(const struct common_options *common, struct memctx_agent **ret,
              struct memctx_error *err)
{
    char dir[PATH_MAX];
    if (find_dir(common, dir, sizeof(dir), err) < 0)
        return -1;
    return memctx_agent_connect(dir, ret, err);
}

enum exit_code
connect_reader(const struct common_options *common, const char *domain,
               int64_t timeout_ms, struct memctx_reader **ret)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(connect_cleanup_agent) struct memctx_agent *agent = NULL;
    bool waits = timeout_ms >= 0;
    int wait_ms = waits ? (int)memctx_min(timeout_ms, INT_MAX) : 0;
    if (connect_agent(common, &agent, &err) == 0 &&
        memctx_reader_open_flags(agent, domain, wait_ms, MEMCTX_OPEN_SILENT,
                                 ret, &err) == 0) {
        silence_warn(memctx_reader_domain(*ret), "");
        return EXIT_DONE;
    }
    if (err.kind != MEMCTX_RETRY)
        return command_fail(EXIT_ERROR, "%s", err.message);
    return command_fail(waits ? EXIT_TIMEOUT : EXIT_NOT_THERE, "%s",
                        err.message);
}
