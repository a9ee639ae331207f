/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Command-line options as tables. A table says how options are spelled, where
 * their values go, and what --help prints of them; tests/test_docs.sh compares
 * --help with the manual pages and the completion.
 *
 * All of this works on getopt_long(), which keeps its place in variables of its
 * own: one thread at a time. */
#ifndef MEMCTXD_OPTIONS_H
#define MEMCTXD_OPTIONS_H

#include <stddef.h>

#include "base/error.h"

/* What an option sets, and what its member holds if it is not given. */
enum option_kind {
    OPTION_FLAG,    /* bool: false */
    OPTION_TEXT,    /* const char *, a part of argv: NULL */
    OPTION_SIZE,    /* uint64_t, bytes, at least 1: 0 */
    OPTION_SECONDS, /* int64_t, milliseconds, at least 0: -1 */
};

struct option_row {
    const char *name; /* long, without dashes; NULL ends a table */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *argument; /* as --help shows it; NULL for a flag */
    size_t offset;        /* of its member in the struct that it sets */
    const char *help;
};

#define OPTIONS_END                         \
    {                                       \
        NULL, 0, OPTION_FLAG, NULL, 0, NULL \
    }

/* A table, and the struct that its options set. */
struct option_set {
    const struct option_row *rows;
    void *values; /* not used by options_find_word() */
};

/* Parse argv by all of these sets. Options and words may be mixed, "--" ends
 * the options; a long name may be cut short as long as it is clear. Returns 0
 * and the index of the first word: words have been moved to the end of argv.
 * Returns -1 with PERMANENT and a sentence for the user; `values` then hold
 * what was understood so far. */
int options_parse(const struct option_set *sets, size_t n_sets, int argc,
                  char **argv, int *first_word, struct memctx_error *err);

/* The index of the first word that is neither an option of one of these sets
 * nor the argument of one; argc: there is none. Sets may share options, if they
 * agree on whether these take an argument. Moves and stores nothing. Returns 0,
 * or -1 with PERMANENT: there is an option before it that no set has. */
int options_find_word(const struct option_set *sets, size_t n_sets, int argc,
                      char **argv, int *ret, struct memctx_error *err);

/* Print the rows of a table to standard output, one a line. */
void options_print(const struct option_row *rows);

#endif
