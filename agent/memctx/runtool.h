/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The tools that memctx run knows, and how each is called. Pure: a command line
 * is built, and nothing is run.
 *
 * To add a tool: its row in runtool.c, its row in src/export/readers.c, its
 * place in TOOLS of man/memctx.pod and in completion/memctx. */
#ifndef MEMCTX_RUNTOOL_H
#define MEMCTX_RUNTOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "guest/kernel.h"

#define RUNTOOL_PROGRAMS_MAX 3

/* A guest that a tool is to read, and what the user has typed for the tool. */
struct runtool_guest {
    const struct memctx_kernel *kernel;
    const char *program; /* of the tool, as it was found */
    const char *export;  /* what memctx export prints for it */
    const char *path;    /* of a file with that */
    const char *core;    /* path of an ELF core; in place of the two above */
    const char *symbols; /* directory of Volatility's; NULL: none */
    const char *plugins; /* the same; NULL: none */
    char **arguments;    /* NULL ends them */
};

/* A command line that grows. Initialise with {0}. */
struct runtool_words {
    char **word; /* owned; NULL ends them */
    size_t n;
    bool failed; /* no memory was to be had; nothing more is added */
};

void runtool_words_deinit(struct runtool_words *words);

typedef void runtool_fn(const struct runtool_guest *guest,
                        struct runtool_words *words);

struct runtool {
    const char *name; /* also of its format of memctx export */
    const char *programs[RUNTOOL_PROGRAMS_MAX]; /* any of these will do */
    const char *version_command; /* for sh; prints its version; NULL: any */
    unsigned long since; /* the first that reads an export; runtool_version() */
    const char *older;   /* what an older one does of a core; NULL: all */
    bool wants_symbols;  /* of Volatility, of this kernel of Linux */
    runtool_fn *by_export; /* NULL: it reads cores only */
    runtool_fn *by_core;
};

/* The tool of this name; NULL: there is none. */
const struct runtool *runtool_find(const char *name);

/* The names of all, separated by ", ". */
void runtool_names(char *ret, size_t size);

/* The version that a text begins with or names first, "crash 8.0.4", as a
 * number: 8000004. 0: there is none. */
unsigned long runtool_version(const char *text);

/* The command line of the tool for this guest. The caller deinits *ret. 0, or
 * -1 with EXHAUSTED. */
int runtool_command(const struct runtool *tool,
                    const struct runtool_guest *guest,
                    struct runtool_words *ret, struct memctx_error *err);

#endif
