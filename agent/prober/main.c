/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx-prober, which memctxd starts for a guest that is searched: it gets the
 * guest's RAM over a socket, gives up all else, and only then looks at the
 * first byte of it. */
#include <stddef.h>

#include "base/bytes.h"
#include "prober/tasks.h"
#include "sandbox/sandbox.h"
#include "wire/start.h"

#define SOCKET 3 /* the one descriptor that memctxd leaves it */

static int
enter(const struct memctx_start *start, struct memctx_error *err)
{
    const struct sandbox_fd fds[] = {{SOCKET, SANDBOX_TALK},
                                     {start->output_fd, SANDBOX_WRITE}};
    struct sandbox sandbox = {
        .parent = start->parent,
        .fds = fds,
        .n_fds = start->output_fd < 0 ? 1 : 2,
        .memory_bytes = start->memory_bytes,
        .file_bytes = start->output_bytes,
        .cpu_s = start->cpu_s,
    };
    for (size_t i = 0; i < start->n_maps; i++)
        sandbox.maps[i] = start->maps[i];
    return sandbox_enter(&sandbox, err);
}

int
main(void)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct memctx_start start;
    struct memctx_probe_ram ram = {.n = 0};
    struct tasks_means means = {.socket = SOCKET, .ram = &ram};
    sandbox_hide_memory();
    if (memctx_start_receive(SOCKET, &start, &err) < 0)
        return 1;
    for (size_t i = 0; i < start.n_maps; i++)
        ram.maps[ram.n++] = start.maps[i];
    means.output_fd = start.output_fd;
    int failed = enter(&start, &err) < 0
                     ? tasks_refuse(SOCKET, &ram, &err, &err)
                     : tasks_run(&means, &err);
    memctx_start_deinit(&start);
    return failed < 0 ? 1 : 0;
}
