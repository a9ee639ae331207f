/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Command-line options as a table, which is also the source of --help and,
 * through tests/test_docs.sh, of what the manual pages must describe. */
#ifndef MEMCTXD_OPTIONS_H
#define MEMCTXD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Exit codes of memctx (DESIGN section 4). */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_THERE = 3,
    EXIT_TIMEOUT = 4,
};

/* Everything that any option sets. Parsed once, passed as const. */
struct options {
    const char *uri;         /* NULL: libvirt's default */
    const char *runtime_dir; /* NULL: from the URI */
    const char *config;      /* NULL: the default place, if it is there */
    const char *log_level;   /* NULL: from the configuration */
    const char *ram;
    uint64_t low;
    const char *export; /* probe: a format */
    const char *format; /* export: the same */
    const char *output; /* core: a file */
    const char *mount;  /* core: a directory */
    const char *xml;     /* layout: domain XML */
    const char *cmdline; /* layout: QEMU's arguments */
    int64_t timeout_ms; /* -1: none */
    bool stub;
    bool retract;
    bool json;
    bool processes;
    bool physical; /* read: the address is guest-physical */
    bool raw;      /* read: bytes as they are */
    bool follow;   /* wait: go on for ever */
    bool help;
    bool version;
};

#define OPTIONS_INIT     \
    {                    \
        .timeout_ms = -1 \
    }

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_SIZE,
    OPTION_SECONDS
};

struct option_row {
    const char *name; /* long, without dashes; NULL ends a table */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *argument; /* as shown in --help; NULL for a flag */
    size_t offset;        /* of the member of struct options */
    const char *help;
};

/* Parse argv by `table`. Options and words may be mixed, "--" ends options.
 * 0 and the index of the first word (words have been moved to the end of
 * argv); or -1 with PERMANENT and a sentence for the user. */
int options_parse(const struct option_row *table, int argc, char **argv,
                  struct options *ret, int *first_word,
                  struct memctx_error *err);

/* Print the rows of a table to standard output, one a line. */
void options_print(const struct option_row *table);

#endif
