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
    static const struct sandbox_fd socket = {SOCKET, SANDBOX_TALK};
    struct sandbox sandbox = {
        .parent = start->parent,
        .fds = &socket,
        .n_fds = 1,
        .memory_bytes = start->memory_bytes,
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
    sandbox_hide_memory();
    if (memctx_start_receive(SOCKET, &start, &err) < 0)
        return 1;
    for (size_t i = 0; i < start.n_maps; i++)
        ram.maps[ram.n++] = start.maps[i];
    int failed = enter(&start, &err) < 0
                     ? tasks_refuse(SOCKET, &ram, &err, &err)
                     : tasks_run(SOCKET, &ram, &err);
    memctx_start_deinit(&start);
    return failed < 0 ? 1 : 0;
}
