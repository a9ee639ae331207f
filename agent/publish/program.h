/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Runs one program with a time limit. */
#ifndef MEMCTXD_PROGRAM_H
#define MEMCTXD_PROGRAM_H

#include <stdint.h>

#include "base/error.h"
#include "sandbox/spawner.h"

/* Called for each line that the program prints, without its newline. */
typedef void program_line_fn(const char *line, void *arg);

struct program {
    const char *path;
    char *const *argv; /* argv[0] included; ends with NULL */
    char *const *envp; /* its whole environment; ends with NULL */
    const char *input; /* what it reads on standard input */
    uint64_t timeout_ms;
    program_line_fn *line; /* for both of its outputs */
    void *line_arg;
};

/* Run it in a process group of its own and wait until it ends. It has no
 * capability and can get none (no_new_privs), and its directory is /. What it
 * leaves running in the background stays. 0: it ended with status 0. -1 with
 * RETRY: its status or signal, or that it was killed with its whole group
 * because the time was over; EXHAUSTED: it could not be started. Any thread. */
int program_run(struct spawner *spawner, const struct program *program,
                struct memctx_error *err);

#endif
