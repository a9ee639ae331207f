/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a prober does for memctxd: one task after the other, on the RAM of one
 * guest. What a search has seen is kept from one try to the next. It opens
 * nothing and asks nobody, and is the only part of the agent that parses bytes
 * which a guest chose. */
#ifndef MEMCTXD_TASKS_H
#define MEMCTXD_TASKS_H

#include "wire/probe.h"

/* What a prober works with. */
struct tasks_means {
    int socket;
    const struct memctx_probe_ram *ram;
    int output_fd; /* for logs that are to be kept; -1: none */
};

/* Carry out and answer what is asked on the socket, until the other side closes
 * it. 0, or -1 with BUG: a request that is none, or no answer can be sent. */
int tasks_run(const struct tasks_means *means, struct memctx_error *err);

/* Answer what is asked next with `why`: this prober cannot do anything. Errors
 * as above. */
int tasks_refuse(int socket, const struct memctx_probe_ram *ram,
                 const struct memctx_error *why, struct memctx_error *err);

#endif
