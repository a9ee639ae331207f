/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What memctx run makes ready for a tool: a live core on a private directory,
 * symbols in another. All of it goes when the tool has ended. Each is made by a
 * memctx of its own, in a sandbox, since it is read from the guest's memory. */
#ifndef MEMCTX_STAGE_H
#define MEMCTX_STAGE_H

#include <sys/types.h>

#include "memctx/invocation.h"

#define STAGE_PATH_MAX 4096

/* Initialise with {0}. */
struct stage {
    char dir[STAGE_PATH_MAX]; /* "": not made yet */
    char core[STAGE_PATH_MAX + 16];
    char symbols[STAGE_PATH_MAX + 16]; /* of Volatility */
    pid_t mounter;                     /* 0: no core is mounted */
};

/* Unmount and remove all of it. */
void stage_deinit(struct stage *stage);

/* Mount the domain's core: ->core is its path. 0, or -1 with PERMANENT: it
 * cannot be mounted, for a reason that has been printed; or a signal came. */
int stage_mount(struct stage *stage, const struct common_options *common,
                const char *domain, struct memctx_error *err);

/* Write a symbol table of the domain's kernel for Volatility 3: ->symbols is
 * the directory for its -s. Errors as above. */
int stage_make_symbols(struct stage *stage, const struct common_options *common,
                       const char *domain, struct memctx_error *err);

/* Start a program with no signal blocked; its standard output is `output` (-1:
 * ours). It gets SIGTERM when we die. With `apart` no signal of the terminal
 * reaches it. Its pid; -1 with EXHAUSTED. What cannot be run exits with 126 or
 * 127, as from a shell, and has said so. */
pid_t stage_start(const char *program, char *const *words, int output,
                  bool apart, struct memctx_error *err);

/* Wait for a program to end. SIGTERM and SIGHUP are handed on to it; SIGINT
 * reaches it from the terminal. As waitpid(2). */
int stage_wait(pid_t pid);

#endif
