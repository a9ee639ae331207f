/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The agent's own hook scripts: programs in one directory that are told when a
 * domain gets a datum, when its kernel stops running, and when it loses the
 * datum. They run on threads of their own,
 * one at a time for each domain, in order. */
#ifndef MEMCTXD_HOOKS_H
#define MEMCTXD_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datum/datum.h"
#include "base/error.h"
#include "common/log.h"
#include "sandbox/spawner.h"

struct hooks;

enum hooks_what {
    HOOKS_READY,
    HOOKS_SILENT, /* the datum stays, its kernel does not run */
    HOOKS_LOST,
    HOOKS_WHATS
};

/* A file that a hook is told of, and that may still be being written. Whoever
 * makes one embeds this. */
struct hooks_file {
    /* Wait until it is there, for some seconds at most. True: and what it is
       called; false: there is none. On a thread of the hooks. */
    bool (*await)(struct hooks_file *file, char *path, size_t size);
    /* The hooks need it no more. Any thread; must not wait. */
    void (*drop)(struct hooks_file *file);
};

/* Run what is in `dir` (which need not exist; looked at anew each time) with
 * this time limit for each program. `spawner` starts them; it and `log` must
 * outlive the hooks. -1 with EXHAUSTED. */
int hooks_create(const char *dir, uint64_t timeout_ms, struct spawner *spawner,
                 const struct log *log, struct hooks **ret,
                 struct memctx_error *err);

/* Another time limit, for programs that start from now on. Any thread. */
void hooks_set_timeout(struct hooks *hooks, uint64_t timeout_ms);

/* Wait for what is queued, for wait_ms at most. False: programs run on, which
 * are left alone; what the hooks use must stay until the process ends, which
 * is to be soon. NULL is fine. */
bool hooks_destroy(struct hooks *hooks, uint64_t wait_ms);

/* Call every program as "PROGRAM NAME ready|silent|lost GENERATION", with the
 * datum as XML for authorised readers on standard input and its `live`, where
 * it has one, in the environment, in the order in which this function is called
 * for the domain. `log` (NULL: none) is the log of its kernel; it is dropped in
 * any case. Copies what it needs and does not wait. -1 with EXHAUSTED (out of
 * memory). Loop thread. */
int hooks_run(struct hooks *hooks, const char *uuid, const char *name,
              enum hooks_what what, const struct memctx_datum *datum,
              struct hooks_file *log, struct memctx_error *err);

#endif
